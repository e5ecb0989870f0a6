import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { artefactOf, compile, contracts } from '../compile.mjs';

for (const name of contracts) {
  test(`${name}.json is what ${name}.sol compiles to`, () => {
    assert.equal(readFileSync(artefactOf(name), 'utf8'), compile(name));
  });
}
