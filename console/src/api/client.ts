import createClient from "openapi-fetch";
import type { components, paths } from "../../target/schema";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];

/// What the server said was wrong; its sentence is shown as it came.
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
}

let csrf = "";

/// The value that `GET /me` gave; every write carries it.
export function setCsrf(value: string | undefined): void {
  csrf = value ?? "";
}

export const api = createClient<paths>({ baseUrl: "/api/v1", credentials: "same-origin" });

api.use({
  onRequest({ request }) {
    if (request.method !== "GET" && csrf) request.headers.set("X-Holdfast-CSRF", csrf);
    return request;
  },
});

/// The value of a call, or the problem as an exception.
export async function must<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer;
  try {
    answer = await call;
  } catch {
    throw new ProblemError({
      type: "about:blank",
      title: "No answer",
      status: 0,
      detail: "The server did not answer.",
      fix: "Check that holdfast is running and that this computer can reach it.",
    });
  }
  if (answer.response.ok) return answer.data as T;
  throw new ProblemError(asProblem(answer.error, answer.response));
}

function asProblem(error: unknown, response: Response): Problem {
  if (typeof error === "object" && error !== null && "title" in error && "detail" in error) return error as Problem;
  return {
    type: "about:blank",
    title: response.statusText || "Error",
    status: response.status,
    detail: `The server answered ${response.status} without saying why.`,
  };
}
