"""AWS on one machine: the emulator, the deployed service, a customer. `make up` starts it all; see ../README.md."""
