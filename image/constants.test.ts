import test from 'ava';
import { exportedConstants } from './constants.ts';

test('exportedConstants() finds numbers that are exported and never change', t => {
  const text =
    'var a=14,b=-1,c=864e4,d="x",e=1,f=2,g=3;let h=4;function i(a){let b=9;a=b;f++;[...[e=2]]}export{a as A,b,c as C,d,e,f,h as H,i};';
  t.deepEqual(Object.fromEntries(exportedConstants(text)), { b: '-1', C: '864e4', H: '4' });
  const plain = 'var a=14,b=-1,c=2;export{a as A,b};export{c as x}from"./y.js";';
  t.deepEqual(Object.fromEntries(exportedConstants(plain)), { A: '14', b: '-1' });
});
