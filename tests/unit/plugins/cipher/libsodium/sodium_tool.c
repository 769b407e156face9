/* Seals and opens as WAL-G does, by libsodium alone and without a line of walrig: what the plugin's test compares with.
 *
 *   sodium_tool seal|open HEXKEY <in >out
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PLAIN 8192
#define SEALED (PLAIN + crypto_secretstream_xchacha20poly1305_ABYTES)

int main(int argc, char **argv) {
  unsigned char key[32], header[crypto_secretstream_xchacha20poly1305_HEADERBYTES], plain[PLAIN], sealed[SEALED], tag = 0;
  crypto_secretstream_xchacha20poly1305_state state;
  unsigned long long length = 0;
  size_t got;
  if (argc != 3 || sodium_init() < 0 || sodium_hex2bin(key, sizeof key, argv[2], strlen(argv[2]), NULL, NULL, NULL) != 0) return 2;
  if (strcmp(argv[1], "seal") == 0) {
    crypto_secretstream_xchacha20poly1305_init_push(&state, header, key);
    fwrite(header, 1, sizeof header, stdout);
    do {
      got = fread(plain, 1, PLAIN, stdin);
      tag = got < PLAIN ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
      crypto_secretstream_xchacha20poly1305_push(&state, sealed, &length, plain, got, NULL, 0, tag);
      fwrite(sealed, 1, (size_t)length, stdout);
    } while (got == PLAIN);
    return ferror(stdin) || fflush(stdout) != 0;
  }
  if (fread(header, 1, sizeof header, stdin) != sizeof header) return 1;
  if (crypto_secretstream_xchacha20poly1305_init_pull(&state, header, key) != 0) return 1;
  while ((got = fread(sealed, 1, SEALED, stdin)) > 0) {
    if (crypto_secretstream_xchacha20poly1305_pull(&state, plain, &length, &tag, sealed, got, NULL, 0) != 0) return 1;
    if ((got < SEALED) != (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL)) return 1;
    fwrite(plain, 1, (size_t)length, stdout);
  }
  return tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL || fflush(stdout) != 0;
}
