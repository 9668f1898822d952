/** Every code of a VeiError that the source can throw, read from the source. */
import { sourceFiles, withoutComments } from "../style/files.ts";

/** Where a code is named. */
export interface CodePlace {
  /** `*` stands for what is put in at run time. */
  code: string;
  path: string;
}

const CODE = /^[a-z*][a-z0-9]*(-[a-z0-9*]+)*$/;

/** @returns the codes in `code: …` of what is thrown, and in calls of functions that take one. */
export function errorCodes(): CodePlace[] {
  return sourceFiles()
    .filter(({ path }) => /^(src|ffi|diodes|enclave)\/.*(?<!_test)\.tsx?$/.test(path))
    .flatMap(({ path, text }) => codesIn(withoutComments(text)).map((code) => ({ code, path })));
}

/** @returns the codes that comment-free TypeScript names. */
export function codesIn(text: string): string[] {
  const found: string[] = [];
  // The expression after `code:` may be a condition or a template; it ends at a comma.
  for (
    const [, words] of text.matchAll(
      /(?:VeiError|super)\(\{\s*(?:\/\/[^\n]*\n\s*)*code:\s*((?:"[^"]*"|`[^`]*`|[^,"`])*)/g,
    )
  ) {
    found.push(...literals(words));
  }
  // Functions that make such errors: `function refuse(code: string, …): VeiError`.
  for (const [, name] of text.matchAll(/\bfunction (\w+)\(\s*code: string[^)]*\): VeiError/g)) {
    const calls = new RegExp(`\\b${name}\\(\\s*(["\`][^"\`]*["\`])`, "g");
    for (const [, word] of text.matchAll(calls)) found.push(...literals(word));
  }
  return found.filter((code) => CODE.test(code));
}

function literals(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|`([^`]*)`/g)]
    .map(([, plain, template]) => plain ?? template.replaceAll(/\$\{[^}]*\}/g, "*"));
}
