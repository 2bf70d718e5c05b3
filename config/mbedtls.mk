# SPDX-License-Identifier: ISC
# mbedTLS: like lwIP's, its sources stay in the cache and are compiled as part of each app that needs
# them, with the options in lib/crypto/mbedtls_config.h. lib/crypto/files.mk lists the files
# (mbedtls-y). Sets MBEDTLS (the source directory) and MBEDTLS_INCLUDES; both empty without it.

ifneq ($(CONFIG_HMAC)$(CONFIG_SHA512),)
MBEDTLS := $(call script,fetch --where mbedtls)
MBEDTLS_INCLUDES := -isystem $(MBEDTLS)/include -DMBEDTLS_CONFIG_FILE='"lib/crypto/mbedtls_config.h"'

$(MBEDTLS):
	@scripts/fetch mbedtls
endif
