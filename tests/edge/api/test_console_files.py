"""Does the console reach the browser, and nothing else of the disk?"""

import httpx
import pytest

from tests.edge.api.conftest import RunningApi


def test_pages_and_files_come_under_a_strict_policy(api: RunningApi) -> None:
    for path, media_type in (("/", "text/html"), ("/sessions/ABCD", "text/html"), ("/api.js", "text/javascript")):
        answer = httpx.get(api.url + path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_a_file_that_the_browser_has_is_not_sent_again(api: RunningApi) -> None:
    etag = httpx.get(f"{api.url}/api.js").headers["etag"]
    again = httpx.get(f"{api.url}/api.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/%2e%2e/app.py",
        "/..%2fapp.py",
        "/nothing.js",
        "/api/v2/x",
        "/%2fetc/passwd.x",
        "/a%00b.js",
        f"/{'a' * 300}.js",
        f"/{'a/' * 2500}a.js",
    ],
    ids=lambda path: path[:20],
)
def test_nothing_outside_the_folder_is_served(api: RunningApi, path: str) -> None:
    answer = httpx.get(api.url + path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_api_is_never_cached(api: RunningApi) -> None:
    assert api.client.get("/sites").headers["cache-control"] == "no-store"
    assert api.client.get("/sites/none").headers["cache-control"] == "no-store"


def test_the_api_describes_itself(api: RunningApi) -> None:
    document = httpx.get(f"{api.url}/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    paths = document["paths"]
    assert len(paths) > 35
    for path, methods in paths.items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                assert operation.get("description"), (method, path)
    parameters = {each["name"] for each in paths["/api/v1/sessions"]["get"]["parameters"]}
    assert {"station_id", "id_token", "state", "from", "to", "q", "order", "limit", "cursor"} == parameters
