# mbedTLS's hash for host programs and unit tests; fetched when first needed.
host-mbedtls = $(eval host-mbedtls := $(call script,fetch mbedtls)$(call script,fetch --where mbedtls))$(host-mbedtls)
host-mbedtls-cflags = -isystem $(host-mbedtls)/include -DMBEDTLS_CONFIG_FILE='"lib/crypto/mbedtls_config.h"'
host-mbedtls-srcs = $(addprefix $(host-mbedtls)/library/,sha1.c sha256.c sha512.c platform_util.c)
