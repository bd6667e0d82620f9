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

{
  /** What an operand receives in a step. @param {Moment} moment @param {number} c its first contribution */
  const received = (moment, c) => {
    const shares = moment.contributions.filter(({ parent }) => parent === moment.contributions[c].parent);
    const [{ node, parent, before }, { total }] = [shares[0], shares[shares.length - 1]];
    return { shares, node, parent, before, total, upstream: moment.grad[node] };
  };

  /**
   * The gradient with another share in place of each one, added to the rest or forgotten.
   * @param {(upstream: number, local: number, moment: Moment, node: number, parent: number) => number[]} mistake
   * @returns {(moment: Moment, c: number) => number[]}
   */
  const withShare = (mistake) => (moment, c) => {
    const { shares, node, parent, total, upstream } = received(moment, c);
    return shares.flatMap(({ local, amount }) => (
      mistake(upstream, local, moment, node, parent).flatMap((x) => [total - amount + x, x])
    ));
  };

  /** The local derivatives with respect to the other operand. @param {Moment} moment @param {number} node @param {number} parent */
  const otherLocals = ({ tape, data, rules }, node, parent) => (
    tape.terms[node].filter((term) => term.length === 2 && term.includes(parent)).flatMap((term) => {
      try {
        return [tape.rows[rules[node]].partials[1 - term.indexOf(parent)](...term.map((x) => data[x]), data[node])];
      } catch (error) {
        if (error instanceof NoValue) return [];
        throw error;
      }
    })
  );

  RIGHT.gradient = (moment, c) => received(moment, c).total;
  Object.assign(MISTAKES, {
    accumulate: (/** @type {Moment} */ moment, /** @type {number} */ c) => {
      const { before, total } = received(moment, c);
      return before === 0 ? [] : [total - before];
    },
    share: (/** @type {Moment} */ moment, /** @type {number} */ c) => {
      const { shares, before } = received(moment, c);
      return shares.length === 1 ? [] : shares.flatMap(({ amount }) => [before + amount, amount]);
    },
    sign: (/** @type {Moment} */ moment, /** @type {number} */ argument, /** @type {string} */ topic) => [
      -RIGHT[topic](moment, argument),
      ...(topic === "gradient" ? withShare((upstream, local) => [-upstream * local])(moment, argument) : []),
    ],
    operand: withShare((upstream, _local, moment, node, parent) => otherLocals(moment, node, parent).map((x) => upstream * x)),
    upstream: withShare((_upstream, local) => [local]),
    local: withShare((upstream) => [upstream]),
    added: withShare((upstream, local) => [upstream + local]),
    value: withShare((upstream, _local, { data }, node, parent) => (
      [upstream * data[node], upstream * data[parent], data[node], data[parent]]
    )),
    before: (/** @type {Moment} */ moment, /** @type {number} */ c) => [received(moment, c).before],
  });

  /** The numbers of the operands of a node with one or two. @param {Moment} moment @param {number} i */
  const numbers = ({ tape, data }, i) => tape.terms[i][0].map((x) => data[x]);
  RIGHT.value = (moment, i) => moment.data[i];
  Object.assign(MISTAKES, {
    swapped: (/** @type {Moment} */ moment, /** @type {number} */ i) => {
      const [a, b] = numbers(moment, i);
      const { symbol } = moment.tape.rows[moment.rules[i]];
      return symbol === "-" ? [b - a] : symbol === "/" ? [b / a] : [];
    },
    operation: (/** @type {Moment} */ moment, /** @type {number} */ i) => {
      const [a, b] = numbers(moment, i);
      return b === undefined ? [] : [a + b, a - b, a * b, a / b];
    },
  });

  RIGHT.tangent = (moment, i) => moment.grad[i];
  /** @param {(contribution: Contribution) => number} term @returns {(moment: Moment) => number[]} */
  const sumOf = (term) => ({ contributions }) => [contributions.reduce((sum, each) => sum + term(each), 0)];
  MISTAKES.locals = sumOf(({ local }) => local);
  MISTAKES.tangents = sumOf(({ incoming = 0 }) => incoming);
  MISTAKES.term = ({ contributions }) => (contributions.length > 1 ? contributions.map(({ amount }) => amount) : []);
}

{
  const TRIES = 2;
  const SIGNS = ["negative", "zero", "positive"];
  /** @type {Record<string, {kinds: string[], mistakes: string[], signs: string[]}>} */
  const topics = page.data.quiz ?? {};
  /** What may be asked before each step. @type {[string, number][][]} */
  const asks = page.steps.map((/** @type {any} */ step) => step.asks ?? []);
  const form = /** @type {HTMLFormElement} */ (part("question"));
  const verdict = part("verdict");

  let isOn = false;
  let seed = 0;
  /** The points of each step that has been asked: 1 at the first try, 0.5 at the second. @type {Map<number, number>} */
  const points = new Map();
  /** The open question. @type {Question | null} */
  let asked = null;
  let tries = 0;

  SLOTS.asked = (moment, kind) => {
    const { topic, argument } = /** @type {Question} */ (asked);
    if (kind === "before") return SLOTS.before(moment, argument);
    return RIGHT[topic](moment, argument);
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
    const hasFormulas = formulasOf({ step, topic, argument }).length > 1;
    return { step, topic, argument, kind: pick([...topics[topic].kinds, ...(hasFormulas ? ["formula", "formula"] : [])]), random };
  };

  /** The formulas to choose from; one with the same number as the right one would be right too. @param {{step: number, topic: string, argument: number}} question */
  const formulasOf = ({ step, argument }) => {
    const id = `choices-${page.steps[step].words}-${argument}`;
    if (!document.getElementById(id)) return [];
    const moment = page.momentAt(step);
    const labels = [...fillTemplate(id, moment).querySelectorAll("label")];
    const exact = SLOTS.amount(moment, argument);
    return labels.filter((label, i) => {
      if (i === 0) return true;
      const { value: mistake } = /** @type {HTMLInputElement} */ (label.querySelector("input"));
      const before = SLOTS.before(moment, argument);
      return !isClose(MISTAKES[mistake](moment, argument, "gradient")[mistake === "sign" ? 1 : 0] - before, exact);
    });
  };

  /**
   * Words about the open question.
   * @param {string} name
   * @param {Moment} moment
   */
  const wordsOf = (name, moment) => {
    const { topic, argument } = /** @type {Question} */ (asked);
    const words = fillTemplate(`quiz-${name}`, moment);
    /** @type {Record<string, number>} */
    const nodes = { node: argument };
    if (topic === "gradient") {
      const { node, parent } = moment.contributions[argument];
      Object.assign(nodes, { node, operand: parent });
    }
    for (const place of words.querySelectorAll("[data-symbol]")) {
      const [symbol, which] = /** @type {string} */ (place.getAttribute("data-symbol")).split(" ");
      place.append(fillTemplate(`${symbol}-${nodes[which]}`, moment));
    }
    return words;
  };

  /** The field or the choices of a question. @param {Question} question */
  const controlsOf = ({ step, topic, argument, kind, random }) => {
    if (kind === "number") {
      const input = /** @type {HTMLInputElement} */ (element("input"));
      input.setAttribute("aria-label", "your answer");
      input.setAttribute("aria-describedby", "page-asked");
      input.name = "page-answer";
      return input;
    }
    const choices = kind === "formula" ? formulasOf({ step, topic, argument }) : SIGNS.map((sign, i) => {
      const input = /** @type {HTMLInputElement} */ (element("input"));
      Object.assign(input, { type: "radio", name: "page-answer", value: String(i - 1) });
      return element("label", input, ` ${sign}`);
    });
    if (kind === "formula") {
      for (let i = choices.length - 1; i > 0; i--) { // shuffled
        const j = Math.floor(random() * (i + 1));
        [choices[i], choices[j]] = [choices[j], choices[i]];
      }
    }
    const group = element("fieldset", ...choices);
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", "your answer");
    group.setAttribute("aria-describedby", "page-asked");
    return group;
  };

  /** Ask before a step. @param {number} step */
  const ask = (step) => {
    asked = questionAt(step);
    tries = 0;
    const moment = page.momentAt(step);
    part("asked").replaceChildren(wordsOf(`ask-${asked.topic}-${asked.kind}`, moment));
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
    const sum = [...points.values()].reduce((total, x) => total + x, 0);
    part("score").textContent = `${sum} / ${points.size}`;
    page.emit("quiz");
  };

  /** @param {...(string | Node)} words */
  const say = (...words) => verdict.replaceChildren(...words);

  /** Close the question, and show the step. @param {number} score @param {...(string | Node)} words */
  const finish = (score, ...words) => {
    const { step } = /** @type {Question} */ (asked);
    points.set(step, score);
    close();
    page.show(step);
    say(...words);
    part("next").focus({ preventScroll: true });
  };

  /**
   * @param {string} text
   * @returns {{x: number, digits: number, unit: number} | null} a number, how many significant digits it was written
   *   with, and the unit of the last one
   */
  const readNumber = (text) => {
    const plain = text.trim().replaceAll("\u2212", "-").replace(",", ".");
    const fraction = /^([-+]?[\d.]+)\s*\/\s*([-+]?[\d.]+)$/.exec(plain);
    const x = fraction ? Number(fraction[1]) / Number(fraction[2]) : Number(plain);
    if (!/\d/.test(plain) || !/^[-+\d.e/\s]+$/i.test(plain) || !Number.isFinite(x)) return null;
    const [mantissa, exponent = "0"] = plain.toLowerCase().split("e");
    const decimals = mantissa.split(".")[1]?.length ?? 0;
    return { x, digits: fraction ? 0 : mantissa.replace(/\D/g, "").replace(/^0+/, "").length, unit: 10 ** (Number(exponent) - decimals) };
  };

  /** Whether a number is right, perhaps rounded: to two digits or more, or by half a per cent. @param {number | {x: number, digits: number, unit: number}} answer @param {number} exact @param {number} [scale] */
  const isClose = (answer, exact, scale = 0) => {
    const { x, digits, unit } = typeof answer === "number" ? { x: answer, digits: 0, unit: 0 } : answer;
    const rounding = digits >= 2 ? 0.500001 * unit : 0;
    return Math.abs(x - exact) <= Math.max(rounding, 0.005 * Math.abs(exact), 1e-12 * scale);
  };

  /** The size of the numbers in a question, beside which others are rounding errors. @param {Moment} moment */
  const scaleOf = (moment) => Math.max(...moment.contributions.map(({ amount, before }) => Math.max(Math.abs(amount), Math.abs(before))), 0);

  /**
   * Judge an answer.
   * @param {string} text
   * @returns {string} "" if it is right, else the name of the sentence to say
   */
  const judge = (text) => {
    const { step, topic, argument, kind } = /** @type {Question} */ (asked);
    const moment = page.momentAt(step);
    const exact = RIGHT[topic](moment, argument);
    const scale = scaleOf(moment);
    if (kind === "formula") return text && `mistake-${text}`;
    /** @type {(x: number) => number} */
    const signOf = (x) => (Math.abs(x) <= 1e-12 * scale ? 0 : Math.sign(x));
    if (kind === "sign") {
      if (Number(text) === signOf(exact)) return "";
      const named = topics[topic].signs.find((name) => MISTAKES[name](moment, argument, topic).slice(0, 1).some((x) => signOf(x) === Number(text)));
      return named ? `mistake-${named}` : `other-${topic}`;
    }
    const answer = readNumber(text);
    if (!answer) return "unreadable";
    if (isClose(answer, exact, scale)) return "";
    const named = topics[topic].mistakes.find((name) => MISTAKES[name](moment, argument, topic).some((x) => isClose(answer, x, scale)));
    if (named) return `mistake-${named}`;
    return Math.abs(answer.x - exact) <= 0.1 * Math.abs(exact) ? "mistake-rounding" : `other-${topic}`;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!asked) return;
    const answer = new FormData(form).get("page-answer");
    const moment = page.momentAt(asked.step);
    const sentence = answer === null ? "unchosen" : judge(String(answer));
    if (["unchosen", "unreadable"].includes(sentence)) {
      say(wordsOf(sentence, moment)); // not a try
    } else if (!sentence) {
      finish(1 - tries / TRIES, wordsOf("right", moment), wordsOf(`answer-${asked.topic}`, moment));
    } else if (++tries < TRIES) {
      say(wordsOf(sentence, moment));
      form.querySelector("input")?.select();
    } else {
      finish(0, wordsOf(sentence, moment), " ", wordsOf("wrong", moment), wordsOf(`answer-${asked.topic}`, moment));
    }
  });
  part("give-up").addEventListener("click", () => {
    if (!asked) return;
    const moment = page.momentAt(asked.step);
    finish(0, wordsOf("wrong", moment), wordsOf(`answer-${asked.topic}`, moment));
  });

  page.guard((from, to) => {
    if (!isOn) return true;
    if (asked && to > from) {
      form.querySelector("input")?.focus();
      return false;
    }
    if (asked) close();
    say();
    const step = asks.findIndex((list, k) => k > from && k <= to && list.length > 0 && !points.has(k));
    if (step < 0) return true;
    page.show(step - 1);
    ask(step);
    return false;
  });
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

  /** A sheet of questions about the gradients, and the solutions on pages of their own. */
  COMMANDS.sheet = () => {
    const isBackward = (/** @type {number} */ k) => ["backward", "tangent"].includes(page.steps[k].phase);
    const steps = [...asks.keys()].filter((k) => asks[k].length > 0 && (isBackward(k) || !asks.some((list, j) => list.length && isBackward(j))));
    const question = asked;
    const articles = steps.flatMap((k, n) => {
      asked = questionAt(k);
      const moment = page.momentAt(k);
      const title = () => element("h2", `${n + 1}. `, wordsOf(`ask-${asked?.topic}-${asked?.kind}`, moment));
      const controls = controlsOf(asked);
      for (const input of controls.querySelectorAll("input")) input.removeAttribute("name");
      const exercise = element("article", title(), controls);
      const solution = element("article", title(), element("p", wordsOf(`answer-${asked.topic}`, moment)), ...[...fillTemplate(page.steps[k].words, moment).children].filter(({ tagName }) => tagName !== "H2"));
      solution.classList.add("solution");
      return [exercise, solution];
    });
    asked = question;
    const isSolution = (/** @type {Element} */ article) => article.classList.contains("solution");
    printArticles([...articles.filter((each) => !isSolution(each)), ...articles.filter(isSolution)], steps[0] - 1);
  };
  page.extras.quiz = {
    save: () => ({ on: isOn, seed, points: asks.map((_, k) => "012"[2 * (points.get(k) ?? -1)] ?? "-").join("") }),
    restore(saved) {
      const { on, seed: number, points: marks } = saved ?? { on: page.data.options.quiz };
      seed = Number.isSafeInteger(number) ? number % 1e6 : 0;
      points.clear();
      const known = typeof marks === "string" ? marks : "";
      asks.forEach((list, k) => {
        if (list.length && "012".includes(known[k] ?? "-")) points.set(k, Number(known[k]) / 2);
      });
      turn(on === true && asks.some((list) => list.length));
    },
  };
  page.on("ready", () => {
    part("quiz").hidden = part("sheet").hidden = !asks.some((list) => list.length);
    page.extras.quiz.restore(null);
  });
}
