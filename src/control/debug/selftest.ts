// The engine's check of itself: a few thousand results of the language, a CRC-32 for each group of them.
// The same engine in Node gives the same numbers; where the board's differ, its arithmetic is not the
// tested one. The x87 is the risk: it computes with 53 bits of precision but a wider exponent, so products
// that fall below 2^-1022 are rounded twice. Such results are left out; everything else must agree.
// NaNs are compared as NaN, since their sign and payload are the processor's own.

import { crcOfText, createRandom, type Random } from './random.ts';

/** Cases come as text: what was computed, in a form that hides nothing. */
type Cases = Generator<string, void, void>;

export interface GroupResult {
  name: string;
  cases: number;
  crc: number;
}

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);

/** The bits of a double. */
function bits(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  double[0] = value;
  return `${(doubleWords[1] as number).toString(16)}:${(doubleWords[0] as number).toString(16)}`;
}

/** A double with every bit of its fraction used and its exponent between 2^-range and 2^range. */
function someDouble(random: Random, range: number): number {
  doubleWords[0] = random.next();
  const exponent = 1023 - range + random.below(2 * range);
  doubleWords[1] = (random.next() & 0x800fffff) | (exponent << 20);
  return double[0] as number;
}

const EDGES = [
  0,
  -0,
  1,
  -1,
  0.1,
  0.5,
  1.5,
  2.5,
  -2.5,
  1 / 3,
  2 / 3,
  1e21,
  1e-7,
  123456789.125,
  4294967295,
  4294967296,
  2147483647,
  2147483648,
  -2147483648,
  -2147483649,
  9007199254740991,
  9007199254740992,
  1.7976931348623157e308,
  2.2250738585072014e-308,
  5e-324,
  Infinity,
  -Infinity,
  NaN,
];

function* numberFormat(random: Random): Cases {
  for (const value of EDGES) yield `${value} ${value.toString(2)} ${value.toString(36)}`;
  for (let i = 0; i < 250; i++) {
    const value = someDouble(random, 1000);
    yield String(value);
    yield value.toPrecision(1 + (i % 21));
    yield value.toExponential(i % 20);
  }
  for (let i = 0; i < 150; i++) {
    const value = someDouble(random, 60);
    yield value.toFixed(i % 20);
    yield value.toString(2 + (i % 35));
    yield (random.next() >>> (i % 32)).toString(2 + (i % 35));
  }
}

function* numberParse(random: Random): Cases {
  const texts = [
    '',
    ' 12 ',
    '0x1f',
    '0b101',
    '0o17',
    '1e1000',
    '-1e-400',
    '.5',
    '5.',
    '1_0',
    '12px',
    'Infinity',
  ];
  for (const text of texts) yield `${bits(Number(text))} ${bits(Number.parseFloat(text))}`;
  for (let i = 0; i < 300; i++) {
    const value = someDouble(random, 1000);
    yield bits(Number(String(value)));
    const digits = `${random.next() >>> 0}${random.next() >>> 0}`.slice(0, 1 + (i % 20));
    yield bits(Number(`${digits}e${(i % 500) - 250}`));
    yield bits(Number.parseFloat(`0.${'0'.repeat(i % 9)}${digits}`));
    yield bits(Number.parseInt(digits, 10 + (i % 27)));
  }
}

function* arithmetic(random: Random): Cases {
  for (let i = 0; i < 200; i++) {
    const a = someDouble(random, 250);
    const b = someDouble(random, 250);
    yield bits(a + b);
    yield bits(a * b);
    yield bits(a / b);
    yield bits(someDouble(random, 30) % someDouble(random, 10));
    yield bits(a * b + a / b - a);
  }
  for (const a of EDGES)
    for (const b of [3, -0.1, 1e300, Infinity]) yield `${bits(a + b)} ${bits(a - b)} ${a < b}`;
  let sum = 0;
  for (let i = 1; i <= 200; i++) {
    sum += 1 / i;
    yield bits(sum);
  }
}

/** Where integers end: sums and products that are none any more, zeros that are negative. */
function* integers(random: Random): Cases {
  const edges = [0, 1, -1, 2, 46340, 46341, -46341, 65536, 0x3fffffff, 0x40000000, 0x7fffffff, -0x80000000];
  const calculate = (a: number, b: number): string =>
    `${bits(a + b)} ${bits(a - b)} ${bits(a * b)} ${bits(-a)}`;
  for (const a of edges) for (const b of [...edges, -0, 0.5]) yield `${calculate(a, b)} ${calculate(b, a)}`;
  for (let i = 0; i < 100; i++) yield calculate(random.next() >> (i % 32), random.next() >> (i % 31));
}

function* conversion(random: Random): Cases {
  const narrow = [new Int8Array(1), new Uint8ClampedArray(1), new Int16Array(1), new Uint32Array(1)];
  const single = new Float32Array(1);
  const convert = function* (value: number): Cases {
    yield `${value | 0} ${value >>> 0} ${value << 5} ${~~value} ${Math.imul(value, 0x9e3779b1)}`;
    for (const array of narrow) array[0] = value;
    single[0] = value;
    yield `${narrow.map(array => array[0]).join()} ${bits(single[0] as number)} ${bits(Math.fround(value))}`;
    yield `${bits(Math.floor(value))} ${bits(Math.ceil(value))} ${bits(Math.round(value))} ${Math.clz32(value)}`;
  };
  for (const value of EDGES) yield* convert(value);
  for (let i = 0; i < 200; i++) yield* convert(someDouble(random, i < 100 ? 70 : 12));
}

const UNARY = [
  'abs',
  'acos',
  'acosh',
  'asin',
  'asinh',
  'atan',
  'atanh',
  'cbrt',
  'cos',
  'cosh',
  'exp',
  'expm1',
  'log',
  'log10',
  'log1p',
  'log2',
  'sign',
  'sin',
  'sinh',
  'sqrt',
  'tan',
  'tanh',
  'trunc',
] as const;

function* mathematics(random: Random): Cases {
  for (const name of UNARY) {
    for (const value of [0, -0, 1, -1, 0.5, 2, 10, Infinity, -Infinity, NaN]) yield bits(Math[name](value));
    for (let i = 0; i < 25; i++) yield bits(Math[name](someDouble(random, i < 12 ? 2 : 8)));
  }
  for (let i = 0; i < 120; i++) {
    const a = Math.abs(someDouble(random, 8));
    const b = someDouble(random, 3);
    yield bits(a ** b);
    yield bits(Math.atan2(b, a));
    yield bits(Math.hypot(a, b));
    yield `${bits(Math.max(a, b))} ${bits(Math.min(a, b, 0))}`;
  }
}

function* strings(random: Random): Cases {
  const alphabet = 'abcABC 019-_äß€\u{1f600},;';
  for (let i = 0; i < 150; i++) {
    let text = '';
    for (let n = random.below(20); n >= 0; n--) text += alphabet[random.below(alphabet.length)];
    const at = random.below(12);
    yield `${text.slice(at)} ${text.slice(-at)} ${text.substring(at, 3)} ${text.indexOf('a', at)}`;
    yield `${text.toUpperCase()} ${text.toLowerCase()} ${text.trim()} ${text.length} ${text.codePointAt(at)}`;
    yield `${text.split('').reverse().join('')} ${text.padStart(24, 'xy')} ${text.repeat(i % 3)}`;
    yield `${text.replaceAll('a', '$&$&')} ${text.split(' ').join('|')} ${text < 'b'} ${[...text].length}`;
    yield encodeURIComponent(text.replace(/[\ud800-\udfff]/g, '?'));
  }
}

function* json(random: Random): Cases {
  const build = (depth: number): unknown => {
    const kind = random.below(depth > 3 ? 4 : 6);
    if (kind === 0) return random.next() / 256;
    if (kind === 1) return `k\n"${random.next()}\u2028\t`;
    if (kind === 2) return random.below(2) === 0 ? null : true;
    if (kind === 3) return random.below(1000);
    if (kind === 4) return Array.from({ length: random.below(4) }, () => build(depth + 1));
    return Object.fromEntries(Array.from({ length: random.below(4) }, (_, i) => [`k${i}`, build(depth + 1)]));
  };
  for (let i = 0; i < 120; i++) {
    const text = JSON.stringify(build(0), null, i % 3) ?? 'undefined';
    yield text;
    yield JSON.stringify(JSON.parse(text));
  }
  for (const text of ['', '{', '[1,]', '01', '"\\x"', '{"a":1,}', 'nul']) {
    try {
      yield String(JSON.parse(text));
    } catch (error) {
      yield (error as Error).name;
    }
  }
}

function* regularExpressions(random: Random): Cases {
  const expressions = [
    /(\d+)\.(\d+)/g,
    /\b[a-f]+\b/gi,
    /^(?<key>\w+)=(?<value>.*)$/m,
    /a{2,3}?b|c+/g,
    /(?<=x)\d/g,
    /[^\s,]+/g,
    /(a|b)*\1/,
    /\u{61}+/gu,
    /^\s*$/,
    /(?!ab)[ab]{2}/g,
  ];
  const pieces = ['ab', 'aab', '12.5', ' ', 'key=va1', ',', 'x9', 'c', '\n', 'Face'];
  for (let i = 0; i < 150; i++) {
    let text = '';
    for (let n = random.below(8); n >= 0; n--) text += pieces[random.below(pieces.length)];
    const expression = expressions[i % expressions.length] as RegExp;
    yield JSON.stringify(text.match(expression));
    yield text.replace(expression, '<$&>');
    yield `${text.search(expression)} ${text.split(expression).length}`;
  }
}

function* collections(random: Random): Cases {
  for (let i = 0; i < 60; i++) {
    const numbers = Array.from({ length: 1 + random.below(40) }, () => random.below(100) - 50);
    yield [...numbers].sort((a, b) => a - b).join();
    yield numbers.map(String).sort().join();
    yield numbers
      .map((n, at) => ({ n: n >> 3, at }))
      .sort((a, b) => a.n - b.n)
      .map(({ at }) => at)
      .join();
    yield [...new Map(numbers.map(n => [n % 7, n])).entries()].flat().join();
    yield `${[...new Set(numbers)].join()} ${numbers.reduce((a, b) => a * 31 + b, 7)} ${numbers.indexOf(3)}`;
    yield Object.keys(Object.fromEntries(numbers.map(n => [n, n]))).join();
  }
}

function* typedArrays(random: Random): Cases {
  const view = new DataView(new ArrayBuffer(64));
  for (let i = 0; i < 150; i++) {
    const at = random.below(56);
    view.setInt32(at, random.next(), i % 2 === 0);
    view.setFloat64(random.below(56), someDouble(random, 100), i % 3 === 0);
    yield `${view.getUint16(at)} ${view.getInt32(at, true)} ${view.getUint32(at)} ${view.getInt8(at)}`;
    yield `${bits(view.getFloat64(at))} ${bits(view.getFloat32(at, true))}`;
    const bytes = new Uint8Array(view.buffer, at, 8);
    yield `${bytes.join()} ${bytes.slice(2, 5).fill(7).join()} ${[...bytes].reverse().join()}`;
    bytes.copyWithin(1, 0, 6);
    yield new Uint8Array(view.buffer).subarray(at, at + 8).join();
  }
}

/** Single elements, of all kinds of arrays, at places that are there and places that are not. */
function* elements(random: Random): Cases {
  const buffer = new ArrayBuffer(64);
  const arrays = [
    ...[new Int8Array(buffer), new Uint8Array(buffer, 3, 5), new Uint8ClampedArray(buffer, 8)],
    ...[
      new Int16Array(buffer, 2),
      new Uint16Array(buffer, 4, 7),
      new Int32Array(buffer),
      new Uint32Array(buffer),
    ],
    ...[new Float32Array(buffer, 4), new Float64Array(buffer, 8, 3), [1, 2, 3]],
  ];
  const values = [0, -1, 255, 256, 0x7fff, 0x10000, 0x7fffffff, -0x80000000, 0xffffffff, 1.5, -0, NaN];
  for (const array of arrays) {
    const places = [0, 1, -0, array.length - 1, array.length, -1, 0.5, 0x7fffffff, 0x80000000, 1e300];
    for (const place of places) {
      const value = values[random.below(values.length)] as number;
      if (Array.isArray(array) && place > array.length) continue;
      array[place] = value;
      yield `${array[place]} ${array.length} ${array.join()}`;
    }
  }
  for (let i = 0; i < 150; i++) {
    const array = arrays[random.below(arrays.length - 1)] as number[];
    const value = i % 2 === 0 ? random.next() : (values[random.below(values.length)] as number);
    array[random.below(20)] = value;
    yield `${array[random.below(20)]} ${new Uint8Array([i, value, i])[1]} ${new Int32Array([value])[i & 1]}`;
  }
}

function* bigIntegers(random: Random): Cases {
  for (let i = 0; i < 120; i++) {
    const a = (BigInt(random.next()) << 40n) ^ BigInt(random.next());
    const b = BigInt(random.next() | 1);
    yield `${a * b} ${a / b} ${a % b} ${a - b}`;
    yield `${(a ** 3n).toString(16)} ${BigInt.asUintN(64, a)} ${BigInt.asIntN(20, a)} ${a >> 7n} ${a & b}`;
    yield `${bits(Number(a * b))} ${a < b} ${BigInt(Math.trunc(someDouble(random, 50)))}`;
  }
}

function* language(random: Random): Cases {
  const fibonacci = (n: number): number => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
  for (let n = 0; n < 12; n++) yield String(fibonacci(n));
  for (let i = 0; i < 60; i++) {
    const { a = i, ...rest } = { ...(i % 2 === 0 ? { a: random.below(9) } : {}), b: i, c: [i] };
    yield `${a} ${JSON.stringify(rest)} ${((x: number, ...y: number[]) => x + y.length)(i, ...new Array(i % 5))}`;
    try {
      if (i % 3 === 0) throw new RangeError(`case ${i}`);
      yield `${(null as unknown as { x?: number })?.x ?? 'none'}`;
    } catch (error) {
      yield String(error);
    } finally {
      yield `finally ${i}`;
    }
    class Counter {
      #n = i;
      get next() {
        return ++this.#n;
      }
    }
    yield `${new Counter().next} ${i & 4 ? 'x' : 'y'} ${[...'äß'].length} ${typeof Symbol.iterator}`;
  }
}

export const GROUPS: Record<string, (random: Random) => Cases> = {
  'number-format': numberFormat,
  'number-parse': numberParse,
  arithmetic,
  integers,
  conversion,
  math: mathematics,
  strings,
  json,
  regexp: regularExpressions,
  collections,
  'typed-arrays': typedArrays,
  elements,
  bigint: bigIntegers,
  language,
};

/** Runs all groups. Yields undefined now and then, to be resumed, and a result after each group. */
export function* selftest(): Generator<GroupResult | undefined, void, void> {
  let seed = 1;
  for (const [name, group] of Object.entries(GROUPS)) {
    let crc = 0;
    let cases = 0;
    for (const text of group(createRandom(seed++))) {
      crc = crcOfText(`${text}\n`, crc);
      cases++;
      if (cases % 20 === 0) yield undefined;
    }
    yield { name, cases, crc };
  }
}
