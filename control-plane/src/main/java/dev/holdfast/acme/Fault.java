package dev.holdfast.acme;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Json;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeProblem;
import java.util.Map;

/// Why a challenge or an order failed, kept as the client is told.
///
/// @param detail says how to mend it
record Fault(AcmeProblem problem, String detail) {
    private static final int MOST = 300;

    Fault {
        String plain = detail.replaceAll("[^ -~]", "?");
        detail = plain.length() > MOST ? plain.substring(0, MOST) : plain;
    }

    static Fault of(AcmeException e) {
        return new Fault(e.problem(), e.detail());
    }

    Map<String, Object> json() {
        return Map.of("type", problem.urn(), "detail", detail, "status", problem.status());
    }

    String stored() {
        return Json.text(Map.of("problem", problem.name(), "detail", detail));
    }

    static Fault ofStored(String text) {
        try {
            JsonNode json = Json.tree(text);
            return new Fault(
                    AcmeProblem.valueOf(json.path("problem").asText()),
                    json.path("detail").asText());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored problem can't be read", e);
        }
    }
}
