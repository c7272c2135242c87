package dev.holdfast.web;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What a handler answers.
///
/// @param download written piece by piece instead of the body, for answers of any length
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Reply(
        int status, String mediaType, byte[] body, Map<String, String> headers, Optional<Download> download) {
    public static final String JSON = "application/json";
    private static final byte[] NOTHING = {};

    /// Writes an answer of any length; blocks while the client is slow.
    @FunctionalInterface
    public interface Download {
        void write(OutputStream out) throws IOException;
    }

    public static Reply ok(Fields body) {
        return json(200, body);
    }

    public static Reply created(Fields body) {
        return json(201, body);
    }

    public static Reply json(int status, Fields body) {
        return new Reply(status, JSON, body.bytes(), Map.of(), Optional.empty());
    }

    public static Reply nothing(int status) {
        return new Reply(status, "", NOTHING, Map.of(), Optional.empty());
    }

    public static Reply text(String mediaType, String body) {
        return new Reply(200, mediaType, body.getBytes(StandardCharsets.UTF_8), Map.of(), Optional.empty());
    }

    public static Reply download(String mediaType, String fileName, Download download) {
        return new Reply(
                200,
                mediaType,
                NOTHING,
                Map.of("content-disposition", "attachment; filename=\"" + fileName + "\""),
                Optional.of(download));
    }

    public Reply header(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Reply(status, mediaType, body, more, download);
    }

    public Reply etag(String etag) {
        return header("etag", etag);
    }
}
