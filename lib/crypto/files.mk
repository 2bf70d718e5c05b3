# Cryptography: mbedTLS's files (below its library/) and our interface to it.
obj-$(CONFIG_HMAC) += lib/crypto/hmac.c
mbedtls-$(CONFIG_HMAC) += sha256.c platform_util.c
mbedtls-$(CONFIG_HMAC_ALL) += sha1.c
obj-$(CONFIG_SHA512) += lib/crypto/sha512.c
mbedtls-$(CONFIG_SHA512) += sha512.c platform_util.c
cflags-lib/crypto/sha512.c := $(MBEDTLS_INCLUDES)
cflags-lib/crypto/hmac.c := $(MBEDTLS_INCLUDES)
