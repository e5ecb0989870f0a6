// Circuits of different shapes: name -> { source, input, big?, options? }. Each is named for what is special about it.
const range = n => [...Array(n).keys()];
const main = (body, publics = '') => `pragma circom 2.1.0;\n${body}\ncomponent main ${publics} = Main();\n`;

const squares = n => main(`template Main() { signal input x; signal output y; signal t[${n}];
  t[0] <== x * x + 1; for (var i = 1; i < ${n}; i++) { t[i] <== t[i-1] * t[i-1] + i; } y <== t[${n - 1}] + x; }`);

const mimc = `template Cipher(n) { signal input x; signal input k; signal output y; signal a[n]; signal b[n]; signal t[n + 1];
  t[0] <== x; for (var i = 0; i < n; i++) { a[i] <== (t[i] + k + i * 7919) * (t[i] + k + i * 7919); b[i] <== a[i] * a[i];
  t[i + 1] <== b[i] * (t[i] + k + i * 7919); } y <== t[n] + k + x; }`;

const bits = `template Bits(n) { signal input x; signal output b[n]; var sum = 0; var e = 1;
  for (var i = 0; i < n; i++) { b[i] <-- (x >> i) & 1; b[i] * (b[i] - 1) === 0; sum += b[i] * e; e = e * 2; } sum === x; }`;

export const circuits = {
  one_constraint: {
    source: main('template Main() { signal input a; signal input b; signal output c; c <== a * b; }'),
    input: { a: '3', b: '11' },
  },
  nothing_public: {
    source: main('template Main() { signal input a; signal input b; a * b === 6; }'),
    input: { a: '2', b: '3' },
  },
  one_private: { // without any, snarkjs cannot prove
    source: main('template Main() { signal input a; signal input p; signal output b; b <== a * a; p * p === p; }', '{public [a]}'),
    input: { a: '12345678901234567890', p: '1' },
  },
  only_linear: {
    source: main('template Main() { signal input a; signal input b; signal output c; c <== 3 * a + 5 * b + 7; }', '{public [a]}'),
    input: { a: '100', b: '200' }, options: ['--O0'],
  },
  zero_witness: {
    source: main('template Main() { signal input a[5]; signal output b[4]; for (var i = 0; i < 4; i++) b[i] <== a[i] * a[i+1]; }'),
    input: { a: ['0', '0', '0', '0', '0'] },
  },
  negative_factors: {
    source: main('template Main() { signal input a; signal output b; b <== (1 - a) * (-5 - 2 * a); }'),
    input: { a: '9' },
  },
  inverse_hint: {
    source: main(`template Main() { signal input x; signal output zero; signal inv; inv <-- x != 0 ? 1 / x : 0;
      zero <== 1 - x * inv; x * zero === 0; }`),
    input: { x: '17' },
  },
  bits_of_a_number: {
    source: main(`${bits} template Main() { signal input x; signal output top; component c = Bits(64); c.x <== x; top <== c.b[63]; }`),
    input: { x: '16045690984503098046' },
  },
  comparison: {
    source: main(`${bits} template Main() { signal input a; signal input b; signal output less; component c = Bits(33);
      c.x <== a - b + 4294967296; less <== 1 - c.b[32]; }`, '{public [b]}'),
    input: { a: '4000', b: '5000' },
  },
  choice: {
    source: main(`template Main() { signal input s; signal input a; signal input b; signal output y; s * (s - 1) === 0;
      y <== s * (b - a) + a; }`),
    input: { s: '1', a: '5', b: '8' },
  },
  sixty_publics: {
    source: main(`template Main() { signal input a[60]; signal input k; signal output s; signal t[60];
      for (var i = 0; i < 60; i++) t[i] <== a[i] * k; var sum = 0; for (var i = 0; i < 60; i++) sum += t[i]; s <== sum; }`,
    '{public [a]}'),
    input: { a: range(60).map(i => `${i * i}`), k: '21888242871839275222246405745257275088548364400416034343698204186575808495616' },
  },
  inner_product: {
    source: main(`template Main() { signal input a[50]; signal input b[50]; signal output s; signal t[50]; var sum = 0;
      for (var i = 0; i < 50; i++) { t[i] <== a[i] * b[i]; sum += t[i]; } s <== sum; }`),
    input: { a: range(50).map(i => `${i + 1}`), b: range(50).map(i => `${1000 - i}`) },
  },
  matrices: {
    source: main(`template Main() { signal input a[6][6]; signal input b[6][6]; signal output c[6][6]; signal t[6][6][6];
      for (var i = 0; i < 6; i++) for (var j = 0; j < 6; j++) { var sum = 0; for (var k = 0; k < 6; k++) {
      t[i][j][k] <== a[i][k] * b[k][j]; sum += t[i][j][k]; } c[i][j] <== sum; } }`),
    input: { a: range(6).map(i => range(6).map(j => `${i * 6 + j}`)), b: range(6).map(i => range(6).map(j => `${i ^ j}`)) },
  },
  wide_sums: {
    source: main(`template Main() { signal input a[200]; signal output y; var s = 0; var t = 0;
      for (var i = 0; i < 200; i++) { s += a[i] * (i + 1); t += a[i] * (7 - i); } y <== s * t; }`),
    input: { a: range(200).map(i => `${i * 31}`) },
  },
  cipher: {
    source: main(`${mimc} template Main() { signal input x; signal input k; signal output y; component c = Cipher(91);
      c.x <== x; c.k <== k; y <== c.y; }`, '{public [x]}'),
    input: { x: '1', k: '2' },
  },
  full_domain: { source: squares(509), input: { x: '3' } }, // with its two public rows and the constant's: 512
  merkle_path: {
    source: main(`${mimc} template Main() { signal input leaf; signal input side[8]; signal input path[8]; signal output root;
      component h[8]; signal left[8]; signal at[9]; at[0] <== leaf; for (var i = 0; i < 8; i++) {
      side[i] * (side[i] - 1) === 0; left[i] <== side[i] * (path[i] - at[i]) + at[i]; h[i] = Cipher(91); h[i].x <== left[i];
      h[i].k <== path[i] + at[i] - left[i]; at[i + 1] <== h[i].y; } root <== at[8]; }`),
    input: { leaf: '99', side: range(8).map(i => `${i & 1}`), path: range(8).map(i => `${i + 10}`) },
  },
  four_thousand: { source: squares(4000), input: { x: '5' } },
  thousands_of_bits: {
    source: main(`${bits} template Main() { signal input x[30]; signal output n; component c[30]; var s = 0;
      for (var i = 0; i < 30; i++) { c[i] = Bits(128); c[i].x <== x[i]; for (var j = 0; j < 128; j++) s += c[i].b[j]; } n <== s; }`),
    input: { x: range(30).map(i => `${(1n << 127n) + BigInt(i) ** 9n}`) },
  },
  domain_2_16: { source: squares(65500), input: { x: '7' }, big: true },
  domain_2_17: { source: squares(131000), input: { x: '7' }, big: true },
};
