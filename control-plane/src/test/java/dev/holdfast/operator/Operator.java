package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.Json;
import java.util.Map;

/// A person signed in with a passkey, as the browser would be.
///
/// @param headers what the browser sends with each request
record Operator(Map<String, String> headers) {
    private static final Map<String, String> NOBODY = Map.of("authorization", "-");

    /// The first of an installation, by the link that the server printed.
    static Operator first(RunningServer server, String name) throws Exception {
        return byLink(server, server.server().operator().welcome().getLast(), name);
    }

    static Operator byLink(RunningServer server, String link, String name) throws Exception {
        String secret = link.substring(link.indexOf('#') + 1);
        ObjectNode asked = Json.mapper().createObjectNode().put("link", secret).put("name", name);
        RunningServer.Answer begun = server.send("POST", "/session/link/options", Json.text(asked), NOBODY);
        assertThat(begun.status()).as(begun.text()).isEqualTo(200);
        ObjectNode finish = asked.put("ceremony", begun.json().path("ceremony").asText());
        finish.set(
                "credential",
                new SoftAuthenticator(server.url()).create(begun.json().path("publicKey")));
        RunningServer.Answer signedIn = server.send("POST", "/session/link/passkey", Json.text(finish), NOBODY);
        assertThat(signedIn.status()).as(signedIn.text()).isEqualTo(200);
        String cookie = signedIn.headers().getOrDefault("set-cookie", "");
        return new Operator(Map.of(
                "authorization",
                "-",
                "cookie",
                cookie.substring(0, cookie.indexOf(';')),
                "x-holdfast-csrf",
                signedIn.json().path("csrf").asText()));
    }
}
