// The overlay `schema`: completion, `?`, marks and the `help` command. Running a line needs none of it.

export { known } from './known.ts';
export { createTools } from './tools.ts';
