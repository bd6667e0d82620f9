"""The site that `glassgrad site` writes."""

import re
from html.parser import HTMLParser

import pytest

from demos import _site

for package in ("pdoc", "latex2mathml", "mdit_py_plugins"):
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
