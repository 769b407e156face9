# walrig_add_plugin(KIND-NAME SOURCES file... LIBS target...): placeholder, completed with the SDK.
