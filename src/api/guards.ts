/** What every request passes first: the Host check (DNS rebinding) and the answer's headers. */
import type { MiddlewareHandler } from "hono";

/**
 * @param hosts gives the names that a Host field may have now, without port.
 * @returns middleware that answers 421 to any other (RFC 9110 §15.5.20).
 */
export function hostCheck(hosts: () => readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const host = (c.req.header("host") ?? "").toLowerCase().replace(/:\d{1,5}$/, "");
    if (!hosts().some((one) => one.toLowerCase() === host)) {
      return c.json({
        error: {
          code: "host-refused",
          message: "This server does not answer to that Host name",
          hint: "use http://127.0.0.1, or add the name to [api] hosts",
        },
      }, 421);
    }
    await next();
  };
}

/** @returns middleware that sets the headers of a page that loads nothing from elsewhere. */
export function secureHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const set = (name: string, value: string) => c.res.headers.set(name, value);
    set(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    set("X-Content-Type-Options", "nosniff");
    set("Referrer-Policy", "no-referrer");
    set("Cross-Origin-Opener-Policy", "same-origin");
    set("Cross-Origin-Resource-Policy", "same-origin");
    set("Cache-Control", "no-store");
  };
}
