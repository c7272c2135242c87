package dev.holdfast.web;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// The problems (RFC 9457) this API answers with; each has a page at `/docs/problems/<code>` that says what to do.
public enum ProblemType {
    MALFORMED_REQUEST(
            400,
            "The request can't be understood",
            "The request breaks the contract in /api/v1/openapi.yaml: a value of the wrong form, a property or"
                    + " parameter that is not known, something missing. `errors` says where.",
            "Compare the request with the contract. Unknown names are refused on purpose: a misspelt option that is"
                    + " silently ignored does harm."),
    NOT_SIGNED_IN(
            401,
            "You are not signed in",
            "The request carries no session cookie and no token, or one that is unknown, revoked or expired.",
            "In the console: sign in with your passkey. In scripts: send `Authorization: Bearer <token>`; make a token"
                    + " in the console under Operators, or with `holdfast login`. The first operator comes in by the"
                    + " one-time link on the server's terminal."),
    NOT_VERIFIED(
            401,
            "The passkey could not be verified",
            "The passkey's answer is not right for this server: another host name, another account, an old challenge,"
                    + " or a passkey that was never registered here.",
            "Open the console under the host name it was registered for (http://localhost:8080, not 127.0.0.1) and"
                    + " try again. After the host name changed, the server prints new one-time links when it starts."),
    NOT_ALLOWED(
            403,
            "You may not do that",
            "You are known, but your role or your token's scopes do not cover this.",
            "Ask an admin for the role, or use a token with the scope that `detail` names."),
    FORGED_REQUEST(
            403,
            "The request does not come from the console",
            "A write that a browser's cookie authenticates must carry X-Holdfast-CSRF, and a browser's request must"
                    + " come from the console's own origin.",
            "Reload the console. Scripts use tokens, not cookies."),
    WRONG_HOST(
            421,
            "This server does not go by that name",
            "The Host header names a host this server does not know as its own; it could be a page from elsewhere"
                    + " that resolves to your loopback address (DNS rebinding).",
            "Use http://localhost:<port>, or set publicBaseUrls.operator to the name operators use."),
    NOT_FOUND(
            404,
            "There is no such thing",
            "Nothing has that name in this environment, or there is no such path.",
            "Check the spelling and `environment`; lists show what there is."),
    METHOD_NOT_ALLOWED(
            405,
            "Not with this method",
            "The path exists, but not with this method.",
            "See /api/v1/openapi.yaml for what the path can do."),
    TOO_SLOW(
            408,
            "The request took too long",
            "The body did not arrive in the time allowed.",
            "Check the connection, then send it again."),
    CONFLICT(
            409,
            "That does not fit the present state",
            "The change is well-formed, but what it concerns is in a state that does not allow it, or exists already.",
            "Read the present state and decide again; `detail` says what stands in the way."),
    CHANGED_MEANWHILE(
            412,
            "It was changed meanwhile",
            "If-Match named a version that is no longer the present one: somebody else changed it.",
            "Read it again, look at what changed, and repeat the change with the new ETag."),
    TOO_LARGE(
            413,
            "The request is too large",
            "The body is larger than this operation takes.",
            "Split it: imports may be sent in several requests."),
    WRONG_MEDIA_TYPE(
            415,
            "Not this media type",
            "The operation takes another Content-Type.",
            "See /api/v1/openapi.yaml for the one it takes."),
    IDEMPOTENCY_KEY_REUSED(
            422,
            "The idempotency key was used for another request",
            "An Idempotency-Key names one request; this one differs from the first with that key.",
            "Use a fresh key, such as a UUID, for each new request."),
    TOO_MANY_ATTEMPTS(
            429,
            "Too many attempts",
            "This address failed to authenticate too often, or asks too fast.",
            "Wait as long as Retry-After says. If it was not you, look at who uses that address."),
    INTERNAL(
            500,
            "Something went wrong here",
            "A fault in the server. What you asked for may or may not have happened.",
            "Look whether it happened, then try again. `reference` names the error in the server's log; please report"
                    + " it."),
    NOT_AVAILABLE_YET(
            501,
            "This server can't do that",
            "The function is not part of this server.",
            "See the changelog for the version that has it."),
    OVERLOADED(
            503, "Too busy", "More requests are in work than this server takes at once.", "Try again after a moment."),
    DATABASE_AWAY(
            503,
            "The database can't be reached",
            "The server runs, but its database does not answer.",
            "Check the database; `/readyz` turns to 200 when it is back. Devices keep their sessions meanwhile.");

    private final int status;
    private final String title;
    private final String cause;
    private final String fix;

    ProblemType(int status, String title, String cause, String fix) {
        this.status = status;
        this.title = title;
        this.cause = cause;
        this.fix = fix;
    }

    public int status() {
        return status;
    }

    public String title() {
        return title;
    }

    public String explanation() {
        return cause;
    }

    public String fix() {
        return fix;
    }

    public String code() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public String page() {
        return "/docs/problems/" + code();
    }

    public static Optional<ProblemType> ofCode(String code) {
        return Arrays.stream(values()).filter(p -> p.code().equals(code)).findFirst();
    }
}
