# SPDX-License-Identifier: ISC
"""Devices come, go and misbehave: xl's hotplug, and a backend's directory played by hand."""

import pytest

WAIT = 'n=100; until [ "$(xenstore-read {path} 2>/dev/null)" = "{value}" ]; do [ $((n-=1)) -gt 0 ] || exit 1; usleep 100000; done'


def frontend(g, index=0):
    return f"/local/domain/{g.domid}/device/vif/{index}"


def backend(g, index=0):
    return f"/local/domain/0/backend/vif/{g.domid}/{index}"


def wait_value(xen, path, value):
    done = xen.run(WAIT.format(path=path, value=value), check=False)
    found = xen.run(f"xenstore-read {path}", check=False).out.strip()
    assert done.status == 0, f"{path} is {found!r}, not {value!r}"


def connected(xen, g, index=0):
    wait_value(xen, frontend(g, index) + "/state", "4")
    wait_value(xen, backend(g, index) + "/state", "4")


def alive(g):
    g.xl("sysrq m")
    g.wait("pages free")


def grants(g):
    before = g.console().count("sysrq: grants")
    g.xl("sysrq e")
    line = g.wait("sysrq: grants", count=before + 1)
    return line.split("grants:")[1]


def test_boots_connected(xen, guest):
    g = guest("echo")
    connected(xen, g)


def test_detach_and_attach_again_and_again(xen, guest):
    """Five times: each interface connects, and each leaves nothing behind."""
    g = guest("echo")
    connected(xen, g)
    left = []
    for count in range(1, 6):
        g.xl("network-detach 0")
        g.wait("vif/0: removed", count=count)
        left.append(grants(g))
        g.xl("network-attach bridge=xenbr0")
        connected(xen, g)
    assert len(set(left)) == 1, left
    assert " 0 in quarantine" in left[0]


def test_first_interface_comes_later(xen, guest):
    g = guest("echo", vif=[])
    g.wait("boot: ")
    g.xl("network-attach bridge=xenbr0")
    connected(xen, g)


def test_detach_while_booting(xen, guest):
    """The directory goes while the guest reads it."""
    for _ in range(3):
        g = guest("echo")
        g.xl("network-detach 0", check=False)
        alive(g)
        assert xen.run(f"xenstore-ls {frontend(g)}", check=False).status
        g.destroy()


STATES = ["", "9", "-1", "four", "4294967300", "x" * 200]


@pytest.mark.parametrize("state", STATES)
def test_backend_state_that_is_none(xen, guest, state):
    """The device is disabled, with the reason in xenstore; the guest lives; a new one takes its place."""
    g = guest("echo")
    connected(xen, g)
    xen.run(f"xenstore-write -- {backend(g)}/state '{state}'")
    g.wait("vif/0: disabled")
    wait_value(
        xen,
        f"/local/domain/{g.domid}/error/device/vif/0/error",
        "the backend's state is not a state",
    )
    alive(g)
    g.xl("network-detach 0", check=False)
    g.wait("vif/0: removed")
    g.xl("network-attach bridge=xenbr0")
    connected(xen, g)


def test_backend_driver_restarts(xen, guest, host):
    """netback lets go of the device and takes it again: new rings, and the same guest answers."""
    driver = "/sys/bus/xen-backend/drivers/vif"
    g = guest("echo")
    connected(xen, g)
    host("ping", "-c1", "-W5", g.address)
    xen.run(f"echo vif-{g.domid}-0 >{driver}/unbind")
    xen.run(f"echo vif-{g.domid}-0 >{driver}/bind")
    g.wait("vif/0: the backend has restarted")
    # The toolstack's hotplug script runs once in a device's life: its work by hand.
    xen.run(
        f"ip link set vif{g.domid}.0 master xenbr0 up && xenstore-write {backend(g)}/hotplug-status connected"
    )
    connected(xen, g)
    host("ping", "-c3", "-W5", g.address)


def test_backend_that_vanishes(xen, guest):
    g = guest("echo")
    connected(xen, g)
    xen.run(f"xenstore-rm {backend(g)}")
    wait_value(xen, frontend(g) + "/state", "6")
    alive(g)


@pytest.mark.parametrize(
    "path, domid",
    [
        ("/local/domain/0/backend/vif/{other}/0", 0),
        ("/local/domain/0/backend/vif/{own}/7/../0", 0),
        ("/local/domain/{own}/data/fake", "{own}"),
        ("/local/domain/0/backend/vif/{own}/7", 99999),
    ],
)
def test_backend_path_elsewhere(xen, guest, path, domid):
    """A device whose backend is not where it belongs is not followed."""
    g = guest("echo")
    connected(xen, g)
    names = {"own": g.domid, "other": g.domid + 1}
    where = path.format(**names)
    for key, value in (
        ("backend", where),
        ("backend-id", str(domid).format(**names)),
        ("state", 1),
    ):
        xen.run(f"xenstore-write {frontend(g, 7)}/{key} {value}")
    xen.run(f"xenstore-chmod {frontend(g, 7)} b{g.domid}")
    g.wait("vif/7: ignored")
    alive(g)
    assert xen.run(f"xenstore-read {frontend(g, 7)}/state").out.strip() == "1"
