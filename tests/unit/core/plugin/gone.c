/* A library that is not there when the plugin that needs it is loaded. */
int walrig_test_gone(void);
__attribute__((visibility("default"))) int walrig_test_gone(void) { return 0; }
