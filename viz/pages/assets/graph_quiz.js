// @ts-check
// The quiz of a graph: right answers and classic mistakes about values, gradients and tangents.

{
  /** What an operand receives in a step. @param {Moment} moment @param {number} c its first contribution */
  const received = (moment, c) => {
    const shares = moment.contributions.filter(({ parent }) => parent === moment.contributions[c].parent);
    return { shares, before: shares[0].before, total: shares[shares.length - 1].total };
  };

  /**
   * The gradient with another share in place of each one, added to the rest or forgotten.
   * @param {(upstream: number, share: Contribution, moment: Moment) => number[]} mistake
   * @returns {(moment: Moment, c: number) => number[]}
   */
  const withShare = (mistake) => (moment, c) => {
    const { shares, total } = received(moment, c);
    return shares.flatMap((share) => (
      mistake(moment.grad[share.node], share, moment).flatMap((x) => [total - share.amount + x, x])
    ));
  };

  /** The local derivatives with respect to the other operand. @param {Contribution} share @param {Moment} moment */
  const otherLocals = ({ node, parent }, moment) => (
    moment.tape.terms[node].filter((term) => term.length === 2 && term.includes(parent)).flatMap((term) => {
      try {
        const numbers = [...term, node].map((i) => moment.data[i]);
        return [moment.row(node).partials[1 - term.indexOf(parent)](...numbers)];
      } catch (error) {
        if (error instanceof NoValue) return [];
        throw error;
      }
    })
  );

  const wrongSign = withShare((upstream, { local }) => [-upstream * local]);
  /** @param {(contribution: Contribution) => number} term @returns {(moment: Moment) => number[]} */
  const sumOf = (term) => ({ contributions }) => [contributions.reduce((sum, each) => sum + term(each), 0)];
  /** The numbers of the operands of a node with one or two. @param {Moment} moment @param {number} i */
  const operands = ({ tape, data }, i) => tape.terms[i][0].map((x) => data[x]);

  Object.assign(RIGHT, /** @type {typeof RIGHT} */ ({
    gradient: (moment, c) => received(moment, c).total,
    value: (moment, i) => moment.data[i],
    tangent: (moment, i) => moment.grad[i],
  }));

  Object.assign(MISTAKES, /** @type {typeof MISTAKES} */ ({
    accumulate(moment, c) {
      const { before, total } = received(moment, c);
      return before === 0 ? [] : [total - before];
    },
    share(moment, c) {
      const { shares, before } = received(moment, c);
      return shares.length === 1 ? [] : shares.flatMap(({ amount }) => [before + amount, amount]);
    },
    sign: (moment, argument, topic) => [
      ...(topic === "gradient" ? wrongSign(moment, argument) : []), -RIGHT[topic](moment, argument),
    ],
    operand: withShare((upstream, share, moment) => otherLocals(share, moment).map((local) => upstream * local)),
    upstream: withShare((_, { local }) => [local]),
    local: withShare((upstream) => [upstream]),
    added: withShare((upstream, { local }) => [upstream + local]),
    value: withShare((upstream, { node, parent }, { data }) => (
      [upstream * data[node], upstream * data[parent], data[node], data[parent]]
    )),
    before: (moment, c) => [received(moment, c).before],

    swapped(moment, i) {
      const [a, b] = operands(moment, i);
      const { symbol } = moment.row(i);
      return symbol === "-" ? [b - a] : symbol === "/" ? [b / a] : [];
    },
    operation(moment, i) {
      const [a, b] = operands(moment, i);
      return b === undefined ? [] : [a + b, a - b, a * b, a / b];
    },

    locals: sumOf(({ local }) => local),
    tangents: sumOf(({ incoming = 0 }) => incoming),
    term: ({ contributions }) => (contributions.length > 1 ? contributions.map(({ amount }) => amount) : []),
  }));
}
