"""A fixture that opens pages in a browser."""

import pytest

import viz


@pytest.fixture
def open_page(browser):
    """Open a file in a new tab; after the test its console must be empty, and it must have loaded nothing else."""
    contexts, complaints, requests = [], [], []

    def open_page(path, width=1280, height=720, link="", **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(5_000)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: request.url.startswith("blob:") or requests.append(request.url))
        tab.goto(path.as_uri() + link)
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert len(requests) == len(contexts), requests
    assert all(url.startswith("file:") for url in requests)


@pytest.fixture
def playground(tmp_path, open_page):
    """Open the playground of a model."""

    def playground(model, data, width=1280, height=720, **options):
        tab = open_page(viz.playground(model, data, tmp_path / "play.html", **options), width, height)
        tab.wait_for_selector("body[data-ready]")
        return tab

    return playground
