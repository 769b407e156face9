/* SPDX-License-Identifier: MIT-0 */
/* The ABI's tables as 1.0 fixed them. A line that fails here means that plugins in the field would break: members are
 * appended, never moved. Compiled as C99; the sizes are those of LP64, the order holds everywhere. */
#include "walrig/abi/plugin.h"

#define HOLDS(line, what) typedef char abi_layout_##line[(what) ? 1 : -1]
#define HOLDS_AT(line, what) HOLDS(line, what)
#define CHECK(what) HOLDS_AT(__LINE__, what)

#if defined(__LP64__)
CHECK(sizeof(walrig_bytes) == 16);
CHECK(sizeof(walrig_error) == 728);
CHECK(offsetof(walrig_error, message) == 216);
CHECK(sizeof(walrig_object) >= 56 && WALRIG_OBJECT_SIZE_1_0 == 56);
CHECK(offsetof(walrig_object, size) == 40);
CHECK(sizeof(walrig_put_opts) >= 24 && offsetof(walrig_put_opts, memory_budget) == 16);
CHECK(sizeof(walrig_list_opts) >= 72 && offsetof(walrig_list_opts, page_token) == 56);
CHECK(WALRIG_STORAGE_V1_SIZE_1_0 == 96 && offsetof(walrig_storage_v1, copy) == 88);
CHECK(offsetof(walrig_storage_v1, list) == 72 && offsetof(walrig_storage_v1, caps) == 96);
CHECK(sizeof(walrig_io) >= 56 && offsetof(walrig_io, out_used) == 48);
CHECK(WALRIG_TRANSFORM_V1_SIZE_1_0 == 48);
CHECK(WALRIG_OPTION_SIZE_1_0 == 96 && offsetof(walrig_option, name) == 16);
CHECK(WALRIG_FACTORY_SIZE_1_0 == 88 && offsetof(walrig_factory, option_stride) == 60);
CHECK(WALRIG_MODULE_SIZE_1_0 == 104 && offsetof(walrig_module, factories) == 80);
CHECK(sizeof(walrig_sealed_range) >= 32 && offsetof(walrig_sealed_range, skip) == 24);
CHECK(sizeof(walrig_unfinished) >= 56 && WALRIG_UNFINISHED_SIZE_1_0 == 56);
CHECK(WALRIG_UNFINISHED_V1_SIZE_1_0 == 24 && offsetof(walrig_unfinished_v1, abort) == 16);
CHECK(offsetof(walrig_host, service) == 136);
#endif
CHECK(offsetof(walrig_host, struct_size) == 0 && offsetof(walrig_module, struct_size) == 0);
CHECK(offsetof(walrig_factory, struct_size) == 0 && offsetof(walrig_option, struct_size) == 0);
CHECK(WALRIG_E_TRUNCATED == -23 && WALRIG_END == 1);
