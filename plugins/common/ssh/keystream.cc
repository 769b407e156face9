// Counter mode by the page instead of by the block.
//
// libssh2 1.10 encrypts and decrypts 16 bytes a call, which costs more than the cipher: 0.8 of 2.5 CPU seconds a GiB were
// measured. In counter mode the key stream does not depend on the data, so it is made 4 KiB at a time, by the same
// function of OpenSSL, and each call takes its 16 bytes of it. The linker puts these two in place of OpenSSL's for libssh2
// alone (--wrap; see CMakeLists.txt), which is possible where libssh2 is linked statically.
//
// THREADS: as OpenSSL's: a context belongs to one session, a session to one thread at a time.
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <new>

namespace {

struct KeyStream {
  std::array<uint8_t, 4096> bytes;
  size_t used = sizeof bytes;
};

}  // namespace

extern "C" {

int __real_EVP_Cipher(EVP_CIPHER_CTX* ctx, unsigned char* out, const unsigned char* in, unsigned int size);
void __real_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX* ctx);
int __wrap_EVP_Cipher(EVP_CIPHER_CTX* ctx, unsigned char* out, const unsigned char* in, unsigned int size);
void __wrap_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX* ctx);

int __wrap_EVP_Cipher(EVP_CIPHER_CTX* ctx, unsigned char* out, const unsigned char* in, unsigned int size) {
  auto* stream = static_cast<KeyStream*>(EVP_CIPHER_CTX_get_app_data(ctx));
  if (stream == nullptr) {
    if (EVP_CIPHER_CTX_get_mode(ctx) != EVP_CIPH_CTR_MODE) return __real_EVP_Cipher(ctx, out, in, size);
    stream = new (std::nothrow) KeyStream;
    // Nothing was taken from a stream yet, so this context may as well never have one.
    if (stream == nullptr) return -1;
    EVP_CIPHER_CTX_set_app_data(ctx, stream);
  }
  for (unsigned int done = 0; done < size;) {
    if (stream->used == stream->bytes.size()) {
      stream->bytes.fill(0);
      if (__real_EVP_Cipher(ctx, stream->bytes.data(), stream->bytes.data(),
                            static_cast<unsigned int>(stream->bytes.size())) < 0) {
        return -1;
      }
      stream->used = 0;
    }
    if (size - done >= 16 && stream->bytes.size() - stream->used >= 16) {
      uint64_t data[2], key[2];
      std::memcpy(data, in + done, sizeof data);
      std::memcpy(key, stream->bytes.data() + stream->used, sizeof key);
      data[0] ^= key[0];
      data[1] ^= key[1];
      std::memcpy(out + done, data, sizeof data);
      stream->used += 16;
      done += 16;
    } else {
      out[done] = static_cast<unsigned char>(in[done] ^ stream->bytes[stream->used++]);
      ++done;
    }
  }
  return static_cast<int>(size);
}

void __wrap_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX* ctx) {
  if (ctx != nullptr) {
    auto* stream = static_cast<KeyStream*>(EVP_CIPHER_CTX_get_app_data(ctx));
    if (stream != nullptr) {
      EVP_CIPHER_CTX_set_app_data(ctx, nullptr);
      OPENSSL_cleanse(stream, sizeof *stream);
      delete stream;
    }
  }
  __real_EVP_CIPHER_CTX_free(ctx);
}

}  // extern "C"
