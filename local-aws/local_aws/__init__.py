"""AWS on one machine: the emulator, the deployed service and a customer. `make up` starts it all; see ../README.md."""
