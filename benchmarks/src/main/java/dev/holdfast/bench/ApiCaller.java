package dev.holdfast.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;

/// The operator's API and the PKI listener, as a script calls them.
final class ApiCaller implements AutoCloseable {
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String token;

    ApiCaller(Path data) throws IOException {
        token = Files.readString(data.resolve("secrets/first-token")).strip();
    }

    /// Revokes, and returns when the server has answered.
    void revoke(ServerProcess server, Meter meter) throws IOException {
        String serial = meter.certificate().getSerialNumber().toString(16);
        post(server, "/certificates/" + serial + "/revoke", "{\"reason\":\"bench\",\"code\":\"keyCompromise\"}");
    }

    /// @param path below `/api/v1`
    String get(ServerProcess server, String path) throws IOException {
        return call(path, api(server, path).GET());
    }

    /// @param path below `/api/v1`
    String post(ServerProcess server, String path, String json) throws IOException {
        return call(path, api(server, path).POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    private HttpRequest.Builder api(ServerProcess server, String path) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + server.port("OPERATOR") + "/api/v1" + path))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json");
    }

    private String call(String path, HttpRequest.Builder request) throws IOException {
        HttpResponse<String> answer = send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() / 100 != 2) {
            throw new IOException(path + ": " + answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    byte[] list(ServerProcess server, String file) throws IOException {
        HttpResponse<byte[]> answer = send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + server.port("PKI") + "/crl/" + file)),
                HttpResponse.BodyHandlers.ofByteArray());
        if (answer.statusCode() != 200) {
            throw new IOException("no list " + file + ": " + answer.statusCode());
        }
        return answer.body();
    }

    private <T> HttpResponse<T> send(HttpRequest.Builder request, HttpResponse.BodyHandler<T> into) throws IOException {
        try {
            return client.send(request.build(), into);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
