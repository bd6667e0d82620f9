// @ts-check
// The quiz: the page asks before it shows a step, names classic mistakes, and keeps the score.

/** @typedef {{step: number, topic: string, argument: number, kind: string, random: () => number}} Question */

/**
 * The answers to which a mistake leads, by the name of the mistake. Other scripts add theirs.
 * @type {Record<string, (moment: Moment, argument: number, topic: string) => number[]>}
 */
const MISTAKES = {};
/** The right answers, by the topic of a question. @type {Record<string, (moment: Moment, argument: number) => number>} */
const RIGHT = {};

MISTAKES.sign = (moment, argument, topic) => [-RIGHT[topic](moment, argument)];

{
  const MAX_TRIES = 2;
  /** @type {Record<string, {kinds: string[], mistakes: string[], signs: string[]}>} */
  const topics = page.data.quiz ?? {};
  /** What may be asked before each step. @type {[string, number][][]} */
  const asks = page.steps.map((/** @type {any} */ step) => step.asks ?? []);
  const stepsToAsk = [...asks.keys()].filter((k) => asks[k].length > 0);
  const form = /** @type {HTMLFormElement} */ (part("question"));

  let isOn = false;
  let seed = 0;
  /** The points of each step that has been asked: 1 at the first try, 0.5 at the second. @type {Map<number, number>} */
  const points = new Map();
  /** The open question. @type {Question | null} */
  let asked = null;
  let tries = 0;

  SLOTS.asked = (moment, kind) => {
    const { topic, argument } = /** @type {Question} */ (asked);
    return kind === "before" ? SLOTS.before(moment, argument) : RIGHT[topic](moment, argument);
  };

  /** A generator of numbers from 0 to 1 (mulberry32). @param {number} state */
  const randomNumbers = (state) => () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };

  /** The question before a step, the same whenever it is asked. @param {number} step @returns {Question} */
  const questionAt = (step) => {
    const random = randomNumbers(seed * 1009 + step);
    /** @template T @param {T[]} list @returns {T} */
    const pick = (list) => list[Math.floor(random() * list.length)];
    const [topic, argument] = pick(asks[step]);
    const formulas = formulasOf(step, argument).length > 1 ? ["formula", "formula"] : [];
    return { step, topic, argument, kind: pick([...topics[topic].kinds, ...formulas]), random };
  };

  /**
   * The formulas to choose from; one with the same number as the right one would be right too.
   * @param {number} step
   * @param {number} argument
   */
  const formulasOf = (step, argument) => {
    const id = `choices-${step}-${argument}`;
    if (!document.getElementById(id)) return [];
    const moment = page.momentAt(step);
    const [amount, before] = [SLOTS.amount(moment, argument), SLOTS.before(moment, argument)];
    return [...fillTemplate(id, moment).querySelectorAll("label")].filter((label, i) => {
      const { value: mistake } = /** @type {HTMLInputElement} */ (label.querySelector("input"));
      return i === 0 || !isClose(MISTAKES[mistake](moment, argument, "gradient")[0] - before, amount);
    });
  };

  /**
   * Words about the open question.
   * @param {string} name
   * @param {Moment} moment
   */
  const wordsOf = (name, moment) => {
    const { topic, argument } = /** @type {Question} */ (asked);
    const { node, parent } = topic === "gradient" ? moment.contributions[argument] : { node: argument, parent: argument };
    const words = fillTemplate(`quiz-${name}`, moment);
    for (const place of words.querySelectorAll("[data-symbol]")) {
      const [symbol, which] = /** @type {string} */ (place.getAttribute("data-symbol")).split(" ");
      place.append(fillTemplate(`${symbol}-${which === "operand" ? parent : node}`, moment));
    }
    return words;
  };

  /** The field or the choices of a question. @param {Question} question */
  const controlsOf = ({ step, argument, kind, random }) => {
    const controls = fillTemplate(`quiz-control-${kind}`, null);
    if (kind === "formula") {
      const shuffled = formulasOf(step, argument).map((choice) => ({ choice, key: random() }));
      shuffled.sort((a, b) => a.key - b.key);
      controls.firstElementChild?.append(...shuffled.map(({ choice }) => choice));
    }
    return controls;
  };

  /** Ask before a step. @param {number} step */
  const ask = (step) => {
    asked = questionAt(step);
    tries = 0;
    part("asked").replaceChildren(wordsOf(`ask-${asked.topic}-${asked.kind}`, page.momentAt(step)));
    part("answers").replaceChildren(controlsOf(asked));
    if (part("play").classList.contains("playing")) COMMANDS.play();
    say();
    showControls();
    form.querySelector("input")?.focus({ preventScroll: true });
    page.emit("ask", step);
  };

  /** Show the words of the step again. */
  const close = () => {
    asked = null;
    part("asked").replaceChildren();
    part("answers").replaceChildren();
    showControls();
  };

  const showControls = () => {
    part("quiz").setAttribute("aria-pressed", isOn);
    part("quiz-bar").hidden = !isOn;
    form.hidden = !asked;
    document.body.classList.toggle("asking", asked !== null);
    part("score").textContent = `${[...points.values()].reduce((sum, x) => sum + x, 0)} / ${points.size}`;
    page.emit("quiz");
  };

  /** @param {Node[]} words */
  const say = (...words) => part("verdict").replaceChildren(...words);

  /** Close the question, show the step, and say some words and the answer. @param {number} score @param {string[]} names */
  const finish = (score, ...names) => {
    const { step, topic } = /** @type {Question} */ (asked);
    const moment = page.momentAt(step);
    const words = [...names, `answer-${topic}`].map((name) => wordsOf(name, moment));
    points.set(step, score);
    close();
    page.show(step);
    say(...words);
    part("next").focus({ preventScroll: true });
  };

  /**
   * @param {string} text
   * @returns {{x: number, rounding: number} | null} a number, and the most by which it was rounded, if it has two digits
   */
  const readNumber = (text) => {
    const plain = text.trim().replaceAll("\u2212", "-").replace(",", ".");
    const fraction = /^([-+]?[\d.]+)\s*\/\s*([-+]?[\d.]+)$/.exec(plain);
    const x = fraction ? Number(fraction[1]) / Number(fraction[2]) : Number(plain);
    if (!/\d/.test(plain) || !/^[-+\d.e/\s]+$/i.test(plain) || !Number.isFinite(x)) return null;
    const [mantissa, exponent = "0"] = plain.toLowerCase().split("e");
    const decimals = mantissa.split(".")[1]?.length ?? 0;
    const isPrecise = !fraction && mantissa.replace(/\D/g, "").replace(/^0+/, "").length >= 2;
    return { x, rounding: isPrecise ? 0.500001 * 10 ** (Number(exponent) - decimals) : 0 };
  };

  /** Whether a number is right, perhaps rounded by half a per cent or more. @param {number} x @param {number} exact */
  const isClose = (x, exact, rounding = 0) => Math.abs(x - exact) <= Math.max(rounding, 0.005 * Math.abs(exact));

  /**
   * Judge an answer.
   * @param {string} text
   * @returns {string} "" if it is right, else the name of the sentence to say
   */
  const judge = (text) => {
    const { step, topic, argument, kind } = /** @type {Question} */ (asked);
    if (kind === "formula") return text && `mistake-${text}`;
    const moment = page.momentAt(step);
    const exact = RIGHT[topic](moment, argument);
    // Beside the numbers in the question, smaller ones are rounding errors.
    const tiny = 1e-12 * Math.max(0, ...moment.contributions.flatMap(({ amount, before }) => [amount, before].map(Math.abs)));
    const signOf = (/** @type {number} */ x) => (Math.abs(x) <= tiny ? 0 : Math.sign(x));
    const isSign = kind === "sign";
    const answer = isSign ? { x: Number(text), rounding: 0 } : readNumber(text);
    if (!answer) return "unreadable";
    const { x, rounding } = answer;
    const fits = (/** @type {number} */ y) => (isSign ? signOf(y) === x : isClose(x, y, Math.max(rounding, tiny)));
    if (fits(exact)) return "";
    const mistake = topics[topic][isSign ? "signs" : "mistakes"].find((name) => {
      const results = MISTAKES[name](moment, argument, topic);
      return (isSign ? results.slice(0, 1) : results).some(fits);
    });
    if (mistake) return `mistake-${mistake}`;
    return !isSign && Math.abs(x - exact) <= 0.1 * Math.abs(exact) ? "mistake-rounding" : `other-${topic}`;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!asked) return;
    const answer = new FormData(form).get("page-answer");
    const sentence = answer === null ? "unchosen" : judge(String(answer));
    if (!sentence) {
      finish(1 - tries / MAX_TRIES, "right");
    } else if (["unchosen", "unreadable"].includes(sentence) || ++tries < MAX_TRIES) {
      say(wordsOf(sentence, page.momentAt(asked.step)));
      form.querySelector("input")?.select();
    } else {
      finish(0, sentence, "wrong");
    }
  });
  part("give-up").addEventListener("click", () => asked && finish(0, "wrong"));

  page.mayMove = (from, to) => {
    if (!isOn) return true;
    if (asked && to > from) {
      form.querySelector("input")?.focus();
      return false;
    }
    if (asked) close();
    say();
    const step = stepsToAsk.find((k) => k > from && k <= to && !points.has(k));
    if (step === undefined) return true;
    page.show(step - 1);
    ask(step);
    return false;
  };
  page.on("show", () => {
    if (asked && page.state.step !== asked.step - 1) close();
  });

  /** @param {boolean} on */
  const turn = (on) => {
    isOn = on;
    stepToPrint = on ? null : page.last; // no answers on paper
    close();
    say();
  };
  COMMANDS.quiz = () => turn(!isOn);
  COMMANDS.again = () => {
    points.clear();
    seed = Math.floor(Math.random() * 1e6);
    turn(true);
    page.show(0);
  };
  KEYS.q = "quiz";

  /** A sheet of questions, about the gradients if there are any, and the solutions on pages of their own. */
  COMMANDS.sheet = () => {
    const gradients = stepsToAsk.filter((k) => ["backward", "tangent"].includes(page.steps[k].phase));
    const steps = gradients.length ? gradients : stepsToAsk;
    const questionOnScreen = asked;
    /** @type {HTMLElement[][]} */
    const [exercises, solutions] = [[], []];
    for (const [n, k] of steps.entries()) {
      const question = asked = questionAt(k);
      const moment = page.momentAt(k);
      const title = () => element("h2", `${n + 1}. `, wordsOf(`ask-${question.topic}-${question.kind}`, moment));
      const words = fillTemplate(`step-${k}`, moment);
      words.querySelector("h2")?.remove();
      exercises.push(element("article", title(), controlsOf(question)));
      solutions.push(element("article", title(), element("p", wordsOf(`answer-${question.topic}`, moment)), words));
      solutions[n].className = "solution";
    }
    asked = questionOnScreen;
    printArticles([...exercises, ...solutions], steps[0] - 1);
  };
  page.extras.quiz = {
    save: () => ({ on: isOn, seed, points: asks.map((_, k) => "012"[2 * (points.get(k) ?? -1)] ?? "-").join("") }),
    restore(saved) {
      const { on, seed: number, points: marks } = saved ?? { on: page.data.options.quiz };
      seed = Number.isSafeInteger(number) ? number % 1e6 : 0;
      points.clear();
      for (const k of typeof marks === "string" ? stepsToAsk : []) {
        if ("012".includes(marks[k] ?? "-")) points.set(k, Number(marks[k]) / 2);
      }
      turn(on === true && stepsToAsk.length > 0);
    },
  };
  page.on("ready", () => {
    part("quiz").hidden = part("sheet").hidden = !stepsToAsk.length;
    page.extras.quiz.restore(null);
  });
}
