"""The tests on a device run in a process of their own: see test_on_a_device.py."""

collect_ignore = ["on_a_device.py"]
