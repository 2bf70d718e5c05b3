# SPDX-License-Identifier: ISC
# What single files of lwIP need, whoever compiles them: the guest, the unit tests, the fuzz targets.

# Those who cut packets into fragments take the chains of buffers apart that they are given, also TCP's, which it
# will send again. With this they copy.
lwip-own-cflags := -DLWIP_NETIF_TX_SINGLE_PBUF=1
lwip-own = $(if $(findstring _frag.c,$@),$(lwip-own-cflags))
