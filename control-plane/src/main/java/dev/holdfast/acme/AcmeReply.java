package dev.holdfast.acme;

import dev.holdfast.core.Json;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeKey;
import dev.holdfast.protocol.acme.AcmeProblem;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What a request is answered with, before nonce and index link are added.
///
/// @param links header values, whole
@SuppressWarnings("ArrayRecordComponent") // never compared
record AcmeReply(int status, String type, byte[] body, Map<String, String> headers, List<String> links) {
    private static final String JSON = "application/json";
    private static final String PROBLEM = "application/problem+json";
    private static final String CHAIN = "application/pem-certificate-chain";

    AcmeReply {
        headers = Map.copyOf(headers);
        links = List.copyOf(links);
    }

    static AcmeReply of(int status, Object json) {
        return new AcmeReply(status, JSON, Json.bytes(json), Map.of(), List.of());
    }

    static AcmeReply chain(String pem, String alternate) {
        return new AcmeReply(
                200,
                CHAIN,
                pem.getBytes(StandardCharsets.US_ASCII),
                Map.of(),
                List.of("<" + alternate + ">;rel=\"alternate\""));
    }

    static AcmeReply nothing(int status) {
        return new AcmeReply(status, JSON, new byte[0], Map.of(), List.of());
    }

    static AcmeReply problem(AcmeException e) {
        return problem(e.problem().status(), e.problem(), e.detail());
    }

    static AcmeReply problem(int status, AcmeProblem problem, String detail) {
        Map<String, Object> json = new TreeMap<>(
                Map.of("type", problem.urn(), "detail", new Fault(problem, detail).detail(), "status", status));
        if (problem == AcmeProblem.BAD_SIGNATURE_ALGORITHM) {
            json.put("algorithms", AcmeKey.ALGORITHMS);
        }
        return new AcmeReply(status, PROBLEM, Json.bytes(json), Map.of(), List.of());
    }

    AcmeReply with(String header, String value) {
        Map<String, String> all = new TreeMap<>(headers);
        all.put(header, value);
        return new AcmeReply(status, type, body, all, links);
    }

    AcmeReply linked(String link) {
        List<String> all = new ArrayList<>(links);
        all.add(link);
        return new AcmeReply(status, type, body, headers, all);
    }

    Optional<byte[]> content() {
        return body.length == 0 ? Optional.empty() : Optional.of(body);
    }
}
