"""The load on the API, for a few seconds. `make load` runs it for longer. The load itself compares every item."""

from benches import load_api


def test_every_item_that_many_clients_sealed_opens_in_the_other_region(stack):
    assert load_api.run(stack, seconds=3, clients=4, workspaces=2)
