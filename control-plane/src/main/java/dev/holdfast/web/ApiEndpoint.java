package dev.holdfast.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Principal;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.Cookie;
import io.vertx.core.http.HttpServerRequest;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes a request from the event loop to a virtual thread, through every check, to its handler, and back.
///
/// 1. the host and the origin are ours; 2. the path and query fit the contract; 3. there is room; 4. somebody we know
/// asks, who may; 5. the body fits the contract; 6. the handler; 7. whatever goes wrong becomes a problem (RFC 9457).
public final class ApiEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(ApiEndpoint.class);
    private static final String PREFIX = "/api/v1/";
    private static final int MOST_JSON = 1 << 20;
    private static final int AT_ONCE = 128;
    private static final int ANONYMOUS_AT_ONCE = 24;
    private static final int STREAMS_AT_ONCE = 8;

    private final Vertx vertx;
    private final Environment defaultEnvironment;
    private final Identities identities;
    private final Contract contract;
    private final Handlers handlers;
    private final Doorkeeper doorkeeper;
    private final IdempotencyStore idempotency;
    private final Answers answers;
    private final Others others;
    private final ExecutorService threads = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("operator-", 0).factory());
    private final Semaphore room = new Semaphore(AT_ONCE);
    private final Semaphore anonymousRoom = new Semaphore(ANONYMOUS_AT_ONCE);
    private final Semaphore streamRoom = new Semaphore(STREAMS_AT_ONCE);

    /// What is answered beside the contract's requests and replies.
    public interface Others {
        /// A path that is not of the API, on the event loop.
        ///
        /// @param threads for what may block
        void page(HttpServerRequest request, String path, Executor threads);

        /// The operation `stream`, checked and on a virtual thread; from here on the response is the callee's.
        void stream(HttpServerRequest request, Call call, Context context);
    }

    /// @param defaultEnvironment where a request names none
    public ApiEndpoint(
            Vertx vertx,
            Database database,
            InstantSource clock,
            Environment defaultEnvironment,
            Identities identities,
            Contract contract,
            Handlers handlers,
            Doorkeeper doorkeeper,
            Answers answers,
            Others others) {
        this.vertx = vertx;
        this.defaultEnvironment = defaultEnvironment;
        this.identities = identities;
        this.contract = contract;
        this.handlers = handlers;
        this.doorkeeper = doorkeeper;
        this.idempotency = new IdempotencyStore(database, clock);
        this.answers = answers;
        this.others = others;
    }

    public static void refuseUnreadable(HttpServerRequest request) {
        new Answers(false)
                .problem(
                        request,
                        new Problem(ProblemType.MALFORMED_REQUEST, "this is not an HTTP request that can be read"),
                        Optional.empty());
    }

    public void handle(HttpServerRequest request) {
        request.response().endHandler(_ -> RequestClock.answered(request.connection()));
        request.response().exceptionHandler(_ -> LOG.debug("a client went away"));
        answers.securityHeaders(request.response());
        try {
            checkNames(request);
            String path = request.path() == null ? "" : request.path();
            if (path.startsWith(PREFIX) && !path.equals(PREFIX + "openapi.yaml")) {
                api(request, path.substring(PREFIX.length()));
            } else {
                others.page(request, path, threads);
            }
        } catch (Problem problem) {
            answers.problem(request, problem, Optional.empty());
        } catch (RuntimeException e) {
            answers.failure(request, e);
        }
    }

    private void checkNames(HttpServerRequest request) {
        String host = request.authority() == null
                ? ""
                : request.authority().toString().toLowerCase(Locale.ROOT);
        if (!identities.hosts().contains(host)) {
            throw new Problem(
                    ProblemType.WRONG_HOST,
                    "the request is for host '" + Schema.shown(host) + "', this is " + identities.origin());
        }
        String origin = request.getHeader("origin");
        if (origin != null && !identities.origins().contains(origin)) {
            throw new Problem(ProblemType.FORGED_REQUEST, "a page of another origin asks: " + Schema.shown(origin));
        }
        String site = request.getHeader("sec-fetch-site");
        if (site != null && request.path().startsWith(PREFIX) && !(site.equals("same-origin") || site.equals("none"))) {
            throw new Problem(ProblemType.FORGED_REQUEST, "a page of another site asks");
        }
    }

    private void api(HttpServerRequest request, String path) {
        List<String> segments = new ArrayList<>();
        for (String raw : path.split("/", -1)) {
            segments.add(decoded(raw));
        }
        Contract.Match match = contract.match(request.method().name(), segments);
        Map<String, List<String>> query = query(request);
        contract.checkQuery(match.operation(), query);
        boolean reads = match.operation().method().equals("GET");
        Semaphore rooming = match.operation().anonymous() && !reads
                ? anonymousRoom
                : match.operation()
                                .mediaType()
                                .filter(t -> !t.equals(Reply.JSON))
                                .isPresent()
                        ? streamRoom
                        : room;
        if (!rooming.tryAcquire()) {
            throw Problem.later(ProblemType.OVERLOADED, "too many requests at once", 1);
        }
        try {
            Context context = vertx.getOrCreateContext();
            BodyStream body = new BodyStream(context, request);
            Request parts = new Request(request, match, flat(query), body, context);
            threads.execute(() -> {
                try {
                    run(parts);
                } finally {
                    rooming.release();
                }
            });
        } catch (RuntimeException e) {
            rooming.release();
            throw e;
        }
    }

    /// What the virtual thread gets of a request.
    private record Request(
            HttpServerRequest http,
            Contract.Match match,
            Map<String, String> query,
            BodyStream body,
            Context context) {}

    private void run(Request request) {
        HttpServerRequest http = request.http();
        try {
            Doorkeeper.Credentials shown = credentials(http);
            String address = address(http);
            Contract.Operation operation = request.match().operation();
            Handlers.Registered registered = handlers.find(operation.id())
                    .orElseThrow(() ->
                            new Problem(ProblemType.NOT_AVAILABLE_YET, operation.id() + " is not part of this server"));
            Optional<Principal> principal = principal(operation, registered, shown, address);
            boolean writes = !operation.method().equals("GET");
            if (writes && principal.isPresent() && !operation.anonymous()) {
                doorkeeper.checkNotForged(principal.get(), shown);
            }
            Environment environment =
                    new Environment(request.query().getOrDefault("environment", defaultEnvironment.value()));
            Call call = new Call(
                    operation,
                    request.match().path(),
                    withDefaults(operation, request.query()),
                    headers(http),
                    principal,
                    environment,
                    body(request, operation),
                    request.body(),
                    shown.cookie());
            if (operation.id().equals("stream")) {
                others.stream(http, call, request.context());
                return;
            }
            Reply reply = writes
                    ? once(call, registered, request)
                    : registered.handler().handle(call);
            answers.reply(http, reply, request.body());
        } catch (Problem problem) {
            answers.problem(http, problem, Optional.of(request.body()));
        } catch (EOFException gone) {
            LOG.debug("operator plane: a client went away");
        } catch (Exception e) {
            if (Database.isAway(e)) {
                LOG.warn("operator plane: the database is away: {}", e.getMessage());
                answers.problem(
                        http,
                        Problem.later(ProblemType.DATABASE_AWAY, "the database does not answer", 2),
                        Optional.of(request.body()));
            } else {
                answers.failure(http, e);
            }
        }
    }

    private Optional<Principal> principal(
            Contract.Operation operation,
            Handlers.Registered registered,
            Doorkeeper.Credentials shown,
            String address) {
        if (operation.anonymous()) {
            try {
                return doorkeeper.identify(shown, address);
            } catch (Problem notSignedIn) {
                return Optional.empty();
            }
        }
        Principal principal = doorkeeper
                .identify(shown, address)
                .orElseThrow(() -> new Problem(ProblemType.NOT_SIGNED_IN, "no session cookie and no token was sent"));
        if (!principal.may(registered.scope())) {
            throw new Problem(
                    ProblemType.NOT_ALLOWED,
                    "this takes scope " + registered.scope().text() + ", which your "
                            + principal.role().map(r -> "role " + r.text()).orElse("token") + " does not have");
        }
        return Optional.of(principal);
    }

    private JsonNode body(Request request, Contract.Operation operation) throws IOException {
        if (operation.mediaType().isEmpty()) {
            return Json.mapper().createObjectNode();
        }
        String wanted = operation.mediaType().get();
        String type = request.http().getHeader("content-type");
        String sent = type == null ? "" : type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        if (!wanted.equals(Reply.JSON)) {
            if (!sent.equals(wanted)) {
                throw wrongType(wanted, sent);
            }
            return Json.mapper().createObjectNode();
        }
        request.body().limit(MOST_JSON);
        byte[] bytes = request.body().readAllBytes();
        if (bytes.length == 0 && !operation.bodyRequired()) {
            return Json.mapper().createObjectNode();
        }
        // A form of another site can send text/plain without asking the browser first; JSON it can't.
        if (!sent.equals(Reply.JSON)) {
            throw wrongType(wanted, sent);
        }
        try {
            JsonNode body = Json.tree(new String(bytes, StandardCharsets.UTF_8));
            if (body == null || body.isMissingNode()) {
                throw Problem.malformed("/", "the body is empty");
            }
            contract.checkBody(operation, body);
            return body;
        } catch (JsonProcessingException e) {
            throw Problem.malformed(
                    "/",
                    "is not JSON: " + Schema.shown(e.getOriginalMessage()) + " at line "
                            + (e.getLocation() == null ? "?" : e.getLocation().getLineNr()));
        }
    }

    private static Problem wrongType(String wanted, String sent) {
        return new Problem(
                ProblemType.WRONG_MEDIA_TYPE,
                "Content-Type should be " + wanted + ", is "
                        + (sent.isEmpty() ? "missing" : "'" + Schema.shown(sent) + "'"));
    }

    /// Runs a write, or gives the first answer again when it carries an idempotency key that was used.
    private Reply once(Call call, Handlers.Registered registered, Request request) throws Exception {
        String header = call.headers().get("idempotency-key");
        if (header == null) {
            return registered.handler().handle(call);
        }
        if (!call.operation().headers().containsKey("Idempotency-Key")) {
            throw Problem.malformed(
                    "Idempotency-Key", "is not taken by " + call.operation().id());
        }
        contract.checkHeader(call.operation(), "Idempotency-Key", header);
        IdempotencyStore.Taken key = IdempotencyStore.key(call.caller().id(), header);
        Digest what = Digest.of(Json.bytes(List.of(
                call.operation().id(),
                request.http().uri(),
                call.operation().mediaType().filter(t -> !t.equals(Reply.JSON)).isPresent()
                        ? String.valueOf(request.http().getHeader("content-length"))
                        : Json.text(call.body()))));
        Optional<Reply> first = idempotency.take(key, what);
        if (first.isPresent()) {
            return first.get();
        }
        Reply reply;
        try {
            reply = registered.handler().handle(call);
        } catch (Problem refused) {
            idempotency.free(key);
            throw refused;
        }
        idempotency.answered(key, reply);
        return reply;
    }

    private Map<String, String> withDefaults(Contract.Operation operation, Map<String, String> query) {
        Map<String, String> all = new HashMap<>(query);
        operation
                .queryParameters()
                .keySet()
                .forEach(name -> contract.defaultOf(operation, name).ifPresent(value -> all.putIfAbsent(name, value)));
        return all;
    }

    private static Doorkeeper.Credentials credentials(HttpServerRequest request) {
        Cookie cookie = request.getCookie(Doorkeeper.COOKIE);
        return new Doorkeeper.Credentials(
                Optional.ofNullable(request.getHeader("authorization")),
                Optional.ofNullable(cookie).map(Cookie::getValue),
                Optional.ofNullable(request.getHeader(Doorkeeper.CSRF_HEADER)));
    }

    static String address(HttpServerRequest request) {
        return request.remoteAddress() == null
                ? "unknown"
                : String.valueOf(request.remoteAddress().hostAddress());
    }

    private static Map<String, String> headers(HttpServerRequest request) {
        Map<String, String> headers = new HashMap<>();
        for (String name : new String[] {"if-match", "idempotency-key", "last-event-id", "content-length"}) {
            String value = request.getHeader(name);
            if (value != null) {
                headers.put(name, value);
            }
        }
        headers.put("remote-address", address(request));
        return headers;
    }

    private static Map<String, List<String>> query(HttpServerRequest request) {
        try {
            return new QueryStringDecoder(request.uri(), StandardCharsets.UTF_8, true, 64).parameters();
        } catch (IllegalArgumentException e) {
            throw new Problem(ProblemType.MALFORMED_REQUEST, "the query is not percent-encoded UTF-8");
        }
    }

    private static Map<String, String> flat(Map<String, List<String>> query) {
        Map<String, String> flat = new HashMap<>();
        query.forEach((name, values) -> flat.put(name, values.getFirst()));
        return flat;
    }

    private static String decoded(String segment) {
        try {
            return QueryStringDecoder.decodeComponent(segment.replace("+", "%2B"));
        } catch (IllegalArgumentException e) {
            throw new Problem(ProblemType.MALFORMED_REQUEST, "the path is not percent-encoded UTF-8");
        }
    }

    public void close() {
        threads.shutdownNow();
    }
}
