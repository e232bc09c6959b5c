/** What the API says when it does not do what was asked (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly detail: string,
    readonly requestId: string | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail);
    this.name = "Problem";
  }

  /** The error's name without its address: "NotFound". */
  get kind(): string {
    return this.type.split(":").at(-1) ?? this.type;
  }

  get isGone(): boolean {
    return this.status === 404;
  }
}

/** No answer came: the gateway is away, or the network is. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("no answer", { cause });
    this.name = "Unreachable";
  }
}

export interface ProblemBody {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  request_id?: string;
}

export function problemOf(body: ProblemBody, status: number, retryAfter: string | null = null): Problem {
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new Problem(
    body.status ?? status,
    body.type ?? "about:blank",
    body.detail ?? body.title ?? `HTTP ${status}`,
    body.request_id ?? null,
    Number.isFinite(seconds) ? seconds : null,
  );
}

/** Reads the error of a response that is not good. */
export async function problemFrom(response: Response): Promise<Problem> {
  const retryAfter = response.headers.get("retry-after");
  try {
    return problemOf((await response.json()) as ProblemBody, response.status, retryAfter);
  } catch {
    return problemOf({}, response.status, retryAfter);
  }
}
