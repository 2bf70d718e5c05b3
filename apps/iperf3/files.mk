obj-y += apps/iperf3/main.c
obj-y += apps/iperf3/control.c
obj-y += apps/iperf3/stream.c
obj-y += apps/iperf3/json.c
