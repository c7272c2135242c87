package dev.holdfast.operator;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.api.MetricsText;
import dev.holdfast.api.Rooms;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import dev.holdfast.web.Answers;
import dev.holdfast.web.Contract;
import dev.holdfast.web.Problem;
import dev.holdfast.web.ProblemType;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/// Everything under the operator plane that is not the API: the console's files, the documentation of problems,
/// `/livez`, `/readyz`, `/metrics`.
///
/// The console is the class path's folder `console/` (its build's output): `index.html` and what it refers to. A
/// request names one of its files only in plain characters and without `..`; what is found is kept in memory.
/// `console/csp.json`, where there is one, lists the hashes of style elements the console makes itself:
/// `{"styleHashes":["sha256-..."]}`.
final class PagesEndpoint {
    private static final Map<String, String> TYPES = Map.ofEntries(
            Map.entry("html", "text/html; charset=utf-8"),
            Map.entry("js", "text/javascript; charset=utf-8"),
            Map.entry("css", "text/css; charset=utf-8"),
            Map.entry("json", "application/json"),
            Map.entry("webmanifest", "application/manifest+json"),
            Map.entry("svg", "image/svg+xml"),
            Map.entry("png", "image/png"),
            Map.entry("ico", "image/x-icon"),
            Map.entry("woff2", "font/woff2"),
            Map.entry("txt", "text/plain; charset=utf-8"));

    private final Rooms rooms;
    private final Answers answers;
    private final byte[] contract;
    private final Map<String, Optional<Page>> files = new ConcurrentHashMap<>();

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Page(byte[] content, String type, String etag, boolean immutable) {}

    PagesEndpoint(Rooms rooms, Contract contract, Answers answers) {
        this.rooms = rooms;
        this.answers = answers;
        this.contract = contract.document();
        answers.allowStyles(styleHashes());
    }

    void handle(HttpServerRequest request, String path, Executor threads) {
        String method = request.method().name();
        if (!method.equals("GET") && !method.equals("HEAD")) {
            throw new Problem(ProblemType.METHOD_NOT_ALLOWED, "only GET and HEAD here");
        }
        switch (path) {
            case "/livez" -> send(request, page("ok\n", "text/plain; charset=utf-8"));
            case "/readyz" -> threads.execute(() -> guarded(request, () -> ready(request)));
            case "/metrics" ->
                threads.execute(() -> guarded(
                        request,
                        () -> send(
                                request,
                                page(new MetricsText(rooms).render(), "text/plain; version=0.0.4; charset=utf-8"))));
            case "/api/v1/openapi.yaml" -> send(request, page(contract, "application/yaml; charset=utf-8"));
            default -> {
                if (path.startsWith("/docs/problems/")) {
                    send(request, problemPage(path.substring("/docs/problems/".length())));
                } else if (path.startsWith("/api/")) {
                    throw Problem.notFound("such path; the API is under /api/v1");
                } else {
                    threads.execute(() -> guarded(request, () -> console(request, path)));
                }
            }
        }
    }

    private void guarded(HttpServerRequest request, Runnable work) {
        try {
            work.run();
        } catch (Problem problem) {
            answers.problem(request, problem, Optional.empty());
        } catch (RuntimeException e) {
            answers.failure(request, e);
        }
    }

    /// Ready: the database answers. Alive (`/livez`) says only that the process does.
    private void ready(HttpServerRequest request) {
        try {
            long number = rooms.journal().head().number();
            send(request, page("ready\njournal " + number + "\n", "text/plain; charset=utf-8"));
        } catch (RuntimeException e) {
            answers.problem(
                    request,
                    Problem.later(ProblemType.DATABASE_AWAY, "the database does not answer", 2),
                    Optional.empty());
        }
    }

    private void console(HttpServerRequest request, String path) {
        if (path.contains("%") || path.startsWith("//") || path.contains("..")) {
            throw Problem.notFound("such page"); // no page of ours is named so
        }
        HttpServerResponse response = request.response();
        Optional<Page> found = path.equals("/") ? Optional.empty() : file(path);
        if (found.isEmpty() && (!path.contains(".") || path.startsWith("/devices/"))) {
            // The console routes in the browser: any path without a file name is its one page. Ids of devices may
            // have dots.
            found = file("/index.html");
            if (found.isEmpty()) {
                send(request, consoleMissing());
                return;
            }
        }
        Page file = found.orElseThrow(() -> Problem.notFound("such page"));
        response.putHeader("etag", file.etag());
        response.putHeader("cache-control", file.immutable() ? "public, max-age=31536000, immutable" : "no-cache");
        if (file.etag().equals(request.getHeader("if-none-match"))) {
            response.setStatusCode(304);
            drain(request);
            response.end().onFailure(_ -> {});
            return;
        }
        send(request, file);
    }

    private static void send(HttpServerRequest request, Page page) {
        drain(request);
        HttpServerResponse response = request.response();
        response.putHeader("content-type", page.type());
        if (request.method().name().equals("HEAD")) {
            response.putHeader("content-length", Integer.toString(page.content().length));
            response.end().onFailure(_ -> {});
        } else {
            response.end(Buffer.buffer(page.content())).onFailure(_ -> {});
        }
    }

    private static void drain(HttpServerRequest request) {
        request.resume();
    }

    private static Page page(String text, String type) {
        return page(text.getBytes(StandardCharsets.UTF_8), type);
    }

    private static Page page(byte[] content, String type) {
        return new Page(content, type, "", false);
    }

    private Optional<Page> file(String path) {
        if (path.length() > 200 || !path.matches("(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")) {
            return Optional.empty();
        }
        Optional<Page> known = files.get(path);
        if (known != null) {
            return known;
        }
        byte[] content = resource("console" + path);
        if (content == null) {
            return Optional.empty();
        }
        String extension = path.substring(path.lastIndexOf('.') + 1);
        Optional<Page> page = Optional.of(new Page(
                content,
                TYPES.getOrDefault(extension, "application/octet-stream"),
                "\"" + Digest.of(content).hex().substring(0, 24) + "\"",
                path.startsWith("/assets/")));
        files.put(path, page);
        return page;
    }

    private static String styleHashes() {
        byte[] listing = resource("console/csp.json");
        StringBuilder styles = new StringBuilder();
        try {
            JsonNode tree = listing == null
                    ? Json.mapper().createObjectNode()
                    : Json.mapper().readTree(listing);
            for (JsonNode hash : tree.path("styleHashes")) {
                if (hash.asText().matches("sha256-[A-Za-z0-9+/=]{44}")) {
                    styles.append(" '").append(hash.asText()).append('\'');
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("console/csp.json", e);
        }
        return styles.toString();
    }

    private static byte @org.jspecify.annotations.Nullable [] resource(String name) {
        try (InputStream in = PagesEndpoint.class.getClassLoader().getResourceAsStream(name)) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Page consoleMissing() {
        return html(
                "The console is not built",
                "<p>The server runs, but this build has no web console in it.</p>"
                        + "<p>To build it: install Node 20.19 or later, then run <code>./holdfast build</code> (or"
                        + " <code>npm ci &amp;&amp; npm run build</code> in <code>console/</code>) and start again."
                        + "</p><p>The API works without it: see <a href=\"/api/v1/openapi.yaml\">its contract</a>,"
                        + " and <code>holdfast doctor</code>.</p>");
    }

    private static Page problemPage(String code) {
        ProblemType type = ProblemType.ofCode(code).orElseThrow(() -> Problem.notFound("such problem"));
        return html(
                escaped(type.title()),
                "<p><code>" + type.code() + "</code>, HTTP status " + type.status() + "</p><h2>Why</h2><p>"
                        + escaped(type.explanation()) + "</p><h2>What to do</h2><p>" + escaped(type.fix()) + "</p>");
    }

    private static Page html(String title, String body) {
        return page(
                "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\""
                        + " content=\"width=device-width\"><title>" + title + " - Holdfast</title></head><body><h1>"
                        + title + "</h1>" + body + "</body></html>\n",
                "text/html; charset=utf-8");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replaceAll("`([^`]*)`", "<code>$1</code>");
    }
}
