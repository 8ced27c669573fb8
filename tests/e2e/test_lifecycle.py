"""A vault's life over both Regions' APIs: list, read, update, disable, enable."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from local_aws.layout import REGIONS
from tests.e2e.e2e_support import base64_of, numbers, problem_of


def if_match(answer) -> dict:
    return {"headers": {"if-match": answer.headers["etag"]}}


def told(answer) -> dict:
    """A vault without the validation report, and without its health, which changes each minute."""
    return {name: value for name, value in answer.json.items() if name not in ("health", "validation")}


def test_what_one_region_changes_the_other_reads_at_once(new_workspace):
    workspace = new_workspace()
    created = workspace.create_vault(name="First")
    vault_id = created.json["vault_id"]
    assert workspace.read(vault_id, region="us-west-2").headers["etag"] == created.headers["etag"]
    renamed = workspace.update(vault_id, {"name": "Renamed", "is_default": True}, region="us-west-2", **if_match(created))
    assert renamed.status == 200, renamed.text
    read = workspace.read(vault_id)
    assert told(read) == told(renamed) and read.headers["etag"] == renamed.headers["etag"] != created.headers["etag"]
    assert (read.json["name"], read.json["is_default"]) == ("Renamed", True)
    late = workspace.update(vault_id, {"name": "Late"}, **if_match(created))
    assert problem_of(late) == (412, "precondition-failed")
    retried = workspace.update(vault_id, {"name": "Renamed", "is_default": True}, **if_match(created))
    assert retried.status == 200 and told(retried) == told(renamed), "what has been done already is answered"
    assert workspace.create_vault(name="First").json["vault_id"] != vault_id, "a name that was given up is free"


def test_a_vault_is_disabled_and_comes_back_after_a_validation(new_workspace):
    workspace = new_workspace()
    vault_id = workspace.new_vault(set_as_default=True)
    item = workspace.sealed(vault_id, "i", b"secret")
    assert workspace.disable(vault_id).status == 200
    assert problem_of(workspace.update(vault_id, {"is_default": True})) == (409, "wrong-vault-status")
    kms = workspace.customer.kms("us-west-2")
    kms.disable_key(KeyId=workspace.customer.kms_key_id)
    before = workspace.read(vault_id)
    refused = workspace.enable(vault_id)
    assert problem_of(refused) == (422, "validation-failed") and refused.json["validation"]["result"] == "fail"
    after = workspace.read(vault_id)
    assert told(after) == told(before) and after.headers["etag"] == before.headers["etag"]
    assert workspace.error_of(item)["type"] == "urn:latchkey:problem:wrong-vault-status"
    kms.enable_key(KeyId=workspace.customer.kms_key_id)
    enabled = workspace.enable(vault_id, region="us-west-2", **if_match(workspace.read(vault_id)))
    assert enabled.status == 200, enabled.text
    assert (enabled.json["status"], enabled.json["is_default"]) == ("active", False)
    assert enabled.json["validation"]["result"] == "pass"
    assert workspace.enable(vault_id).headers["etag"] == enabled.headers["etag"], "again changes nothing"
    assert workspace.opened(item) == workspace.opened(item, "us-west-2") == b"secret"
    problem = problem_of(workspace.encrypt(None, [{"item_id": "i", "plaintext": base64_of(b"x")}]))
    assert problem == (409, "no-default-vault")


def test_a_list_has_pages_and_filters_and_is_one_workspaces_own(new_workspace):
    workspace, stranger = new_workspace(), new_workspace()
    vault_ids = [workspace.new_vault() for _ in range(5)]
    workspace.disable(vault_ids[1])
    listed, token = [], None
    for count in range(5):
        query = {"limit": 2} | ({"next_token": token} if token else {})
        page = workspace.list_vaults(f"?{urlencode(query)}", region=REGIONS[count % 2])
        assert page.status == 200, page.text
        listed += [vault["vault_id"] for vault in page.json["vaults"]]
        if token := page.json.get("next_token"):
            moved = stranger.list_vaults(f"?{urlencode({'next_token': token})}")
            assert problem_of(moved) == (400, "malformed-request")
        else:
            break
    assert listed == vault_ids
    disabled = workspace.list_vaults("?status=disabled&health=healthy").json
    assert [vault["vault_id"] for vault in disabled["vaults"]] == [vault_ids[1]] and "next_token" not in disabled
    assert stranger.list_vaults().json == {"vaults": []}
    assert problem_of(stranger.read(vault_ids[0])) == (404, "vault-not-found")
    wrong = workspace.list_vaults("?limit=0&page=2")
    assert [error["parameter"] for error in wrong.json["errors"]] == ["limit", "page"]


def test_members_read_and_change_nothing(workspace):
    vault_id = workspace.new_vault()
    assert workspace.read(vault_id, role="member").status == 200
    assert problem_of(workspace.update(vault_id, {"name": "Mine"}, role="member")) == (403, "forbidden")
    assert problem_of(workspace.enable(vault_id, role="member")) == (403, "forbidden")


def test_of_many_that_rename_to_one_name_in_both_regions_one_wins(new_workspace):
    workspace = new_workspace()
    vault_ids = [workspace.new_vault() for _ in range(4)]
    name = f"Disputed {next(numbers)}"
    with ThreadPoolExecutor(4) as pool:
        renames = pool.map(lambda n: workspace.update(vault_ids[n], {"name": name}, region=REGIONS[n % 2]), range(4))
        statuses = sorted(answer.status for answer in renames)
    assert statuses == [200, 409, 409, 409]
    assert [vault["name"] for vault in workspace.list_vaults().json["vaults"]].count(name) == 1


def test_of_many_that_change_one_state_of_a_vault_one_wins(workspace):
    created = workspace.create_vault()
    vault_id = created.json["vault_id"]
    with ThreadPoolExecutor(6) as pool:
        bounds = [{"data_key_cache_seconds": 100 + n} for n in range(6)]
        changes = pool.map(lambda n: workspace.update(vault_id, bounds[n], region=REGIONS[n % 2], **if_match(created)), range(6))
        answers = list(changes)
    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1
    assert all(problem_of(answer) == (412, "precondition-failed") for answer in answers if answer is not won[0])
    assert workspace.read(vault_id).json["data_key_cache_seconds"] == won[0].json["data_key_cache_seconds"]
