"""The quiz of a page: right and rounded answers, classic mistakes, the second try, giving up, the score, the sheet."""

import re

import pytest

import engine
import nn
import viz
from engine import Value
from tests.viz.pages.browsing import PAGE_STATE, bounding_box, chain, data_of, example, title
from tests.viz.pages.test_sharing import link_of, menu, value_of


def accumulation():
    """Return L = d*k + a*m with d = a*b: at step 9, d passes -1.5 back to a, whose gradient was 0.7."""
    a, b, k, m = Value(2.0, "a"), Value(-3.0, "b"), Value(0.5, "k"), Value(0.7, "m")
    d = a * b
    d.label = "d"
    root = d * k + a * m
    root.label = "L"
    return root


def ask(tab, step, kind, argument=0, topic="gradient"):
    """Open the question of a kind before a step, by a seed for which the quiz chooses it."""
    for seed in range(300):
        points = "-" * step + "-"
        tab.evaluate(
            "([seed, step, points]) => page.restore({step: step - 1, quiz: {on: true, seed, points}})",
            [seed, step, points],
        )
        tab.keyboard.press("ArrowRight")
        asked = tab.locator("#page-asked").evaluate("(asked) => asked.textContent")
        shape = {"number": "[not(@type)]", "sign": "[@value='-1']", "formula": "[@value='']"}[kind]
        controls = tab.locator(f"xpath=//*[@id='page-answers']//input{shape}")
        if controls.count() and asked_about(tab) == [topic, argument]:
            return asked
        tab.keyboard.press("ArrowLeft") if kind != "number" else tab.locator("#page-back").click()
    raise AssertionError(f"no seed asks for the {kind} of {topic} {argument} before step {step}")


def asked_about(tab):
    """Return the topic and the contribution of the open question, from its words."""
    return tab.evaluate(
        """() => {
            const step = page.state.step + 1;
            const [[action, node]] = page.steps[step].actions;
            if (action === "tangent") return [action, node];
            const symbols = [...document.querySelectorAll("#page-asked [data-symbol]")];
            const spoken = symbols.at(-1).querySelector(".spoken").textContent;
            const {contributions} = page.momentAt(step);
            const c = contributions.findIndex(({parent}) => (
                document.getElementById(`gradient-${parent}`).content.querySelector(".spoken").textContent === spoken
            ));
            return c < 0 ? ["value", node] : ["gradient", c];
        }"""
    )


def answer(tab, text):
    """Type an answer; return what the page says."""
    tab.get_by_role("textbox", name="your answer").fill(text)
    tab.keyboard.press("Enter")
    return verdict(tab)


def verdict(tab):
    """Return what a screen reader says of the answer."""
    text = tab.locator("#page-verdict").evaluate(
        "(verdict) => { const words = verdict.cloneNode(true);"
        "for (const each of words.querySelectorAll('[aria-hidden]')) each.remove(); return words.textContent; }"
    )
    return " ".join(text.split())


def score(tab):
    return tab.get_by_role("status", name="score").text_content()


@pytest.fixture
def accumulating(tmp_path, open_page):
    """A page of `accumulation`."""
    return open_page(viz.page(accumulation(), tmp_path / "quiz.html", quiz=True))


def test_the_page_asks_before_each_step_and_shows_it_after_a_right_answer(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "quiz.html", quiz=True))
    assert tab.get_by_role("button", name="quiz", exact=True).get_attribute("aria-pressed") == "true"
    tab.get_by_role("button", name="next step").click()
    assert title(tab) == "Forward 0 of 3: the leaves"
    form = tab.get_by_role("form", name="question")
    assert " ".join(form.inner_text().split()).startswith("What is the value of a*b")
    assert tab.evaluate("document.activeElement.ariaLabel") == "your answer"
    assert tab.evaluate("document.activeElement.getAttribute('aria-describedby')") == "page-asked"
    assert answer(tab, "-6") == "Right: a*b = -6.0."
    assert title(tab) == "Forward 1 of 3"
    assert form.count() == 0
    assert score(tab) == "1 / 1"
    assert tab.evaluate("document.activeElement.id") == "page-next", "Enter goes on"
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowRight")
    assert title(tab) == "Forward 1 of 3", "it asks once"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Write a number"),
        ("soon", "Write a number"),
        ("<b>1</b>", "Write a number"),
        ("1/0", "Write a number"),
        ("-0.8", "Right: dL/da = -0.8."),
        ("\u22120,80", "Right"),
        ("-4/5", "Right"),
        ("-8e-1", "Right"),
        ("-0.798", "Right"),
        ("0.8", "The magnitude is right, the sign is wrong."),
        ("2.2", "The magnitude is right, the sign is wrong."),
        ("-0.85", "Close, but rounded too much"),
        ("-1.5", "You forgot to accumulate: dL/da was 0.7 before."),
        ("-2.3", "You forgot the upstream gradient: multiply the local derivative by dL/dd."),
        ("-3", "You forgot the upstream gradient: multiply the local derivative by dL/dd."),
        ("1.2", "You forgot the local derivative"),
        ("0.5", "You forgot the local derivative"),
        ("1.7", "That is the derivative with respect to the other operand."),
        ("1", "That is the derivative with respect to the other operand."),
        ("-1.8", "You added the upstream gradient and the local derivative: multiply them."),
        ("-5.3", "You used the value of a node in place of the local derivative."),
        ("-6", "You used the value of a node in place of the local derivative."),
        ("0.7", "That is dL/da before this step."),
        ("1234", "Not right. Multiply dL/dd by the local derivative"),
    ],
)
def test_answers_are_judged(text, said, accumulating):
    tab = accumulating
    assert "dL/da" in ask(tab, 9, "number")
    assert answer(tab, text).startswith(said)
    assert (title(tab) == "Backward 4 of 4") == said.startswith("Right")


@pytest.mark.parametrize(
    ("text", "is_right"),
    [("0.42", True), ("0.419974", True), ("0.419", True), ("0.4", False), ("0.41", False), ("0.43", False)],
)
def test_rounding_to_two_digits_is_right(text, is_right, tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "quiz.html", quiz=True))
    ask(tab, 5, "number")
    assert answer(tab, text).startswith("Right" if is_right else "Close, but rounded too much")


@pytest.mark.parametrize(
    ("formula", "text", "said"),
    [
        (lambda x, y: x - y, "4", "The operands are in the wrong order."),
        (lambda x, y: x / y, "3", "The operands are in the wrong order."),
        (lambda x, y: x * y, "-12", "The magnitude is right, the sign is wrong."),
        (lambda x, y: x + y, "12", "That is the result of another operation."),
        (lambda x, y: x + y, "20", "Not right. Insert the numbers of the operands."),
        (lambda x, y: x + y, "8", "Right: x + y = 8.0."),
    ],
)
def test_a_value_is_asked_too(formula, text, said, tmp_path, open_page):
    root = formula(Value(2.0, "x"), Value(6.0, "y")).tanh()
    tab = open_page(viz.page(root, tmp_path / "quiz.html", quiz=True))
    tab.keyboard.press("ArrowRight")
    assert answer(tab, text).startswith(said.split(":")[0])


@pytest.mark.parametrize(
    ("step", "node", "text", "said"),
    [
        (6, 2, "-3", "Right: d(a*b)/da = -3.0."),
        (6, 2, "3", "The magnitude is right, the sign is wrong."),
        (6, 2, "1", "You forgot the local derivatives"),
        (8, 4, "4", "That is the contribution of one operand"),
        (8, 4, "2", "You forgot the tangents of the operands"),
        (8, 4, "9", "Not right. Multiply the tangent of each operand"),
    ],
)
def test_tangents_are_asked(step, node, text, said, tmp_path, open_page):
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    root = (a * b + a * a).tanh()
    tab = open_page(viz.page(root, tmp_path / "quiz.html", mode="forward", quiz=True))
    ask(tab, step, "number", node, topic="tangent")
    assert answer(tab, text).startswith(said)


def test_a_wrong_answer_has_a_second_try_then_the_page_shows_the_step(accumulating):
    tab = accumulating
    ask(tab, 9, "number")
    answer(tab, "0.8")
    assert title(tab) == "Backward 3 of 4"
    assert score(tab) == "0 / 0"
    assert answer(tab, "-0.8").startswith("Right")
    assert score(tab) == "0.5 / 1", "half a point at the second try"
    ask(tab, 9, "number")
    answer(tab, "0.8")
    assert answer(tab, "-1.5").endswith("The answer: dL/da = -0.8.")
    assert title(tab) == "Backward 4 of 4"
    assert score(tab) == "0 / 1"


def test_show_me_gives_up(accumulating):
    tab = accumulating
    ask(tab, 9, "number")
    tab.get_by_role("button", name="show me").click()
    assert verdict(tab) == "The answer: dL/da = -0.8."
    assert title(tab) == "Backward 4 of 4"
    assert score(tab) == "0 / 1"


def test_signs_are_chosen(accumulating):
    tab = accumulating
    ask(tab, 9, "sign")
    choices = tab.get_by_role("radiogroup", name="your answer")
    assert [x.strip() for x in choices.locator("label").all_text_contents()] == ["negative", "zero", "positive"]
    tab.get_by_role("button", name="check").click()
    assert verdict(tab) == "Choose an answer."
    choices.get_by_role("radio", name="positive").check()
    tab.keyboard.press("Enter")
    assert verdict(tab) != ""
    choices.get_by_role("radio", name="negative").check()
    tab.keyboard.press("Enter")
    assert verdict(tab) == "Right: dL/da = -0.8."


def test_formulas_are_chosen(accumulating):
    tab = accumulating
    ask(tab, 9, "formula")
    choices = tab.get_by_role("radiogroup", name="your answer")
    names = [" ".join(x.split()) for x in choices.locator(".spoken").all_text_contents()]
    assert sorted(names) == ["b", "dL/dd * a", "dL/dd * b", "dL/dd * d"]
    choices.get_by_role("radio").nth(names.index("dL/dd * a")).check()
    tab.keyboard.press("Enter")
    assert verdict(tab) == "That is the derivative with respect to the other operand."
    choices.get_by_role("radio").nth(names.index("dL/dd * b")).check()
    tab.keyboard.press("Enter")
    assert verdict(tab) == "Right: dL/da = -0.8."
    assert score(tab) == "0.5 / 1"


def test_an_operand_used_twice_needs_both_shares(tmp_path, open_page):
    a = Value(3.0, "a")
    tab = open_page(viz.page((a * a) * Value(2.0, "k"), tmp_path / "quiz.html", quiz=True))
    ask(tab, 5, "number")
    assert answer(tab, "6") == "This operand is used more than once here: add the contributions of all uses."
    assert answer(tab, "12") == "Right: dL/da = 12.0."


def test_nothing_of_the_answer_is_visible_while_the_page_asks(accumulating):
    tab = accumulating
    tab.evaluate("page.restore({step: 8})")
    before = tab.evaluate(PAGE_STATE)
    ask(tab, 9, "number")
    state = tab.evaluate(PAGE_STATE)
    assert state["texts"] == before["texts"]
    assert state["aria_labels"] == before["aria_labels"]
    for node in tab.locator("#page-stage .node[aria-label]").all():
        node.hover(force=True)
        assert "-0.8" not in tab.locator("body").inner_text()
    outputs = tab.get_by_role("status").all_text_contents()
    assert "-0.8" not in outputs
    for key in ("ArrowRight", "End", "PageDown"):
        tab.locator("#page-next").focus()
        tab.keyboard.press(key)
        assert title(tab) == "Backward 3 of 4"
    tab.get_by_role("slider", name="step").fill("10")
    assert title(tab) == "Backward 3 of 4"
    assert tab.get_by_role("slider", name="step").input_value() == "8"
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert title(tab) == "Backward 3 of 4", "nor on paper"
    assert not tab.locator("#page-lines").is_visible()


def test_a_changed_number_changes_the_answer(accumulating):
    tab = accumulating
    ask(tab, 9, "number")
    value_of(tab, "b").fill("5")
    assert answer(tab, "3.2") == "Right: dL/da = 3.2."


def test_end_and_play_stop_at_the_first_question(tmp_path, open_page):
    tab = open_page(viz.page(engine.tanh(Value(1.0, "a")), tmp_path / "quiz.html", quiz=True))
    tab.keyboard.press("End")
    assert title(tab) == "Backward 0 of 1"
    assert tab.get_by_role("form", name="question").is_visible()


def test_the_quiz_is_turned_on_and_off_by_its_key_and_button(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    assert not tab.locator("#page-quiz-bar").is_visible()
    tab.keyboard.press("q")
    tab.keyboard.press("ArrowRight")
    assert tab.get_by_role("form", name="question").is_visible()
    tab.get_by_role("button", name="quiz", exact=True).click()
    assert not tab.get_by_role("form", name="question").is_visible()
    tab.keyboard.press("ArrowRight")
    assert title(tab) == "Forward 1 of 3"


def test_seed_and_score_are_in_the_link(tmp_path, open_page):
    path = viz.page(example(), tmp_path / "quiz.html", quiz=True)
    tab = open_page(path)
    tab.keyboard.press("ArrowRight")
    answer(tab, "6")
    answer(tab, "-6")
    tab.get_by_role("button", name="next step").click()
    tab.wait_for_timeout(500)
    copy = open_page(path)
    copy.goto(tab.url)
    copy.wait_for_function("() => page.state.step === 1")
    assert score(copy) == "0.5 / 1"
    copy.get_by_role("button", name="next step").click()
    assert copy.locator("#page-asked").inner_text() == tab.locator("#page-asked").inner_text()
    for state in ({"quiz": {"on": True, "seed": "x", "points": "9<b>"}}, {"quiz": {"on": True, "seed": 1e99}}):
        copy.evaluate("hash => { location.hash = hash; }", link_of(state))
        copy.wait_for_function("() => page.state.step === 1 && document.querySelector('#page-question').hidden")
        copy.wait_for_timeout(300)
        assert score(copy) == "0 / 0"


def test_a_sheet_with_solutions_is_printed(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    tab.evaluate("() => { window.print = () => dispatchEvent(new Event('beforeprint')); }")
    menu(tab, "print the quiz").click()
    tab.emulate_media(media="print")
    articles = tab.locator("#page-print article")
    assert articles.count() == 6
    exercises, solutions = tab.locator("article:not(.solution)"), tab.locator("article.solution")
    assert exercises.count() == solutions.count() == 3
    assert "0.419974" not in " ".join(exercises.all_inner_texts())
    assert "0.419974" in solutions.first.inner_text()
    assert tab.evaluate(PAGE_STATE)["texts"]["n5-grad"] == "grad 1.0", "the drawing is that before the first question"
    assert tab.evaluate(PAGE_STATE)["texts"]["n4-grad"] == ""
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert title(tab).startswith("Forward 0")


def test_labels_in_questions_are_text(tmp_path, open_page):
    evil = "<img src=x onerror=alert(1)>"
    tab = open_page(viz.page(Value(2.0, evil) * Value(3.0, "b"), tmp_path / "quiz.html", quiz=True))
    tab.keyboard.press("ArrowRight")
    assert evil in tab.locator("#page-asked").inner_text()
    assert tab.locator("img").count() == 0


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (390, 844)])
def test_a_question_fits_at_every_size(width, height, accumulating, tmp_path, open_page):
    path = viz.page(accumulation(), tmp_path / "size.html", quiz=True)
    tab = open_page(path, width, height)
    ask(tab, 9, "formula")
    form, words = bounding_box(tab, "#page-question"), bounding_box(tab, "#page-words")
    assert form["y"] + form["height"] <= words["y"] + words["height"] + 1
    for name in ("check", "show me"):
        tab.get_by_role("button", name=name).scroll_into_view_if_needed()
        assert tab.get_by_role("button", name=name).bounding_box()["height"] >= 44 - 1


def test_an_embedded_page_asks_too(tmp_path, open_page):
    outer = tmp_path / "notebook.html"
    outer.write_text(viz.embed(example(), quiz=True)._repr_html_())
    frame = open_page(outer).frame_locator("iframe")
    frame.get_by_role("button", name="next step").click()
    frame.get_by_role("textbox", name="your answer").fill("-6")
    frame.get_by_role("button", name="check").click()
    assert re.match("Right", frame.locator("#page-verdict").inner_text())


def test_questions_of_a_large_graph_are_short(tmp_path):
    def size(n):
        path = viz.page(chain(n), tmp_path / "L.html")
        templates = re.findall('<template id="(?:choices|gradient).*?</template>', path.read_text("utf-8"), re.S)
        return len("".join(templates))

    assert size(200) < 40_000, "few formulas, and no mathematics in names"


def ask_network(tab, step, kind, topic, argument):
    """Open the question about a node before a step of a network's page."""
    for seed in range(300):
        tab.evaluate("([step, seed]) => page.restore({step: step - 1, quiz: {on: true, seed}})", [step, seed])
        tab.evaluate("(step) => page.move(step)", step)
        is_number = tab.locator("#page-answers input:not([type])").count() == 1
        symbol = tab.locator("#page-asked .spoken").text_content()
        template = tab.locator(f"template#{topic}-{argument}").evaluate("(t) => t.content.textContent")
        if is_number == (kind == "number") and template.startswith(symbol):
            return
    raise AssertionError((step, kind, topic, argument))


@pytest.mark.parametrize("notation", ["P57", "P58"])
def test_deltas_and_new_weights_of_a_network_are_asked(notation, tmp_path, open_page):
    model = nn.MLP(2, [2, 1], seed=1)
    path = viz.network_page(model, tmp_path / "net.html", [0.5, -1.0], 1.0, loss=nn.mse, quiz=True, notation=notation)
    tab = open_page(path)
    topics = {"backward": [], "update": []}
    for step, each in enumerate(data_of(path)["steps"]):
        for topic, i in each.get("asks", [])[-1:]:
            topics[each["phase"]].append((step, topic, i))
    assert len(topics["backward"]) == len(topics["update"]) == 3
    for n, (step, topic, z) in enumerate(topics["backward"]):
        moment = "(([step, z]) => { const m = page.momentAt(step); return [m.grad[z], MISTAKES.output(m, z)[0]]; })"
        gradient, slope = tab.evaluate(moment, [step, z])
        right = gradient * slope if topic == "delta" else -gradient
        wrong = {
            "delta": [
                (gradient, "You forgot the slope"),
                (-right, "The magnitude is right"),
                (slope, "You forgot the deriv"),
            ],
            "error": [(gradient, "The sign is wrong"), (-gradient * slope, "This delta is the error")],
        }[topic]
        for x, said in wrong:
            if abs(x - right) > 0.02 * abs(right):
                ask_network(tab, step, "number", "delta", z)
                assert tab.locator("#page-stage").inner_text().count("δ =") == n, "this delta is not visible"
                assert answer(tab, repr(x)).startswith(said)
                assert answer(tab, f"{right:.3g}").startswith("Right")
    step, _, w = topics["update"][1]
    old, gradient = tab.evaluate(
        "([step, w]) => { const m = page.momentAt(step); return [page.tape.nodes[w].data, m.grad[w]]; }", [step, w]
    )
    for x, said in [
        (old + 0.5 * gradient, "The weight moves in the wrong direction"),
        (old - gradient, "You forgot the learning rate"),
        (-0.5 * gradient, "That is the change of the weight"),
        (old, "That is the old weight"),
        (old + 10.0, "Not right. Subtract"),
        (old - 0.5 * gradient, "Right"),
    ]:
        ask_network(tab, step, "number", "weight", w)
        assert answer(tab, repr(x)).startswith(said)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720)])
def test_the_button_of_latex_covers_no_words(width, height, tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html", quiz=True), width, height)
    button = tab.get_by_role("button", name="copy LaTeX").bounding_box()
    bar = bounding_box(tab, "#page-quiz-bar")
    assert bar["y"] + bar["height"] <= button["y"]
    for item in tab.locator("#page-lines h2, #page-lines math").all():
        box = item.bounding_box()
        is_beside = box["x"] + box["width"] <= button["x"]
        assert is_beside or box["y"] >= button["y"] + button["height"] or box["y"] + box["height"] <= button["y"]
