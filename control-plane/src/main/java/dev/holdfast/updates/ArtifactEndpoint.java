package dev.holdfast.updates;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.firmware.Artifact;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.rollout.ByteLeases;
import dev.holdfast.rollout.Offer;
import dev.holdfast.rollout.Rollouts;
import dev.holdfast.tls.Problem;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Sends artifacts, chunk by chunk, each under the lease of its rollout.
final class ArtifactEndpoint implements AutoCloseable {
    private static final int CHUNK = 64 * 1024;
    /// A client that does not take one chunk in this time is cut.
    private static final int SLOWEST_SECONDS = 30;
    private static final int MOST_DOWNLOADS = 512;

    private final Rollouts rollouts;
    private final Firmware firmware;
    private final Workers workers = new Workers("download", MOST_DOWNLOADS);

    ArtifactEndpoint(Rollouts rollouts, Firmware firmware) {
        this.rollouts = rollouts;
        this.firmware = firmware;
    }

    /// `GET|HEAD /{tenant}/controller/v1/{id}/softwaremodules/{release}/artifacts/{file}`
    void get(RoutingContext request) {
        DeviceRef device = Caller.of(request).device();
        String release = request.pathParam("release");
        String file = request.pathParam("file");
        workers.run(request, () -> {
            Optional<Offer.Work> work =
                    release.matches("\\d{1,18}") ? rollouts.workOn(device, Long.parseLong(release)) : Optional.empty();
            Optional<Artifact> artifact = work.flatMap(w -> w.release().artifacts().stream()
                    .filter(a -> a.fileName().equals(file))
                    .findFirst());
            Optional<Path> path = artifact.flatMap(firmware::file);
            if (path.isEmpty()) {
                return () -> Problem.send(
                        request,
                        404,
                        "no-such-artifact",
                        "there is nothing for this device to download here now",
                        "poll; the action may have been withdrawn");
            }
            return send(request, device, work.orElseThrow(), artifact.orElseThrow(), path.get());
        });
    }

    private Runnable send(RoutingContext request, DeviceRef device, Offer.Work work, Artifact artifact, Path path)
            throws Exception {
        HttpServerResponse response = request.response();
        String tag = '"' + artifact.sha256().hex() + '"';
        String ifRange = request.request().getHeader("if-range");
        ByteRange range = ifRange == null || ifRange.equals(tag)
                ? ByteRange.of(request.request().getHeader("range"), artifact.size())
                : new ByteRange.Whole();
        response.putHeader("accept-ranges", "bytes")
                .putHeader("etag", tag)
                .putHeader("cache-control", "no-store")
                .putHeader("content-type", "application/octet-stream");
        long first;
        long last;
        switch (range) {
            case ByteRange.Unsatisfiable _ -> {
                return () -> response.setStatusCode(416)
                        .putHeader("content-range", "bytes */" + artifact.size())
                        .end();
            }
            case ByteRange.Whole _ -> {
                first = 0;
                last = artifact.size() - 1;
            }
            case ByteRange.Part part -> {
                first = part.first();
                last = part.last();
                response.setStatusCode(206)
                        .putHeader("content-range", "bytes " + first + "-" + last + "/" + artifact.size());
            }
        }
        response.putHeader("content-length", Long.toString(last - first + 1));
        if (request.request().method().name().equals("HEAD")) {
            return response::end;
        }
        pump(request, device, work, artifact, path, first, last);
        return () -> {};
    }

    /// Reads, asks the lease, writes, waits until the socket has taken it; so at most one chunk is under way when a
    /// stop comes, and that one is dropped with the connection.
    private void pump(
            RoutingContext request,
            DeviceRef device,
            Offer.Work work,
            Artifact artifact,
            Path path,
            long first,
            long last)
            throws IOException, InterruptedException {
        HttpConnection connection = request.request().connection();
        // What makes the release run is its last artifact; the manifest before it is only a description.
        boolean image = artifact.equals(work.release().artifacts().getLast());
        try (ByteLeases.Transfer transfer = rollouts.download(device, work, () -> HardClose.of(connection));
                FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
            for (long at = first; at <= last; ) {
                buffer.clear().limit((int) Math.min(CHUNK, last - at + 1));
                int read = file.read(buffer, at);
                boolean completes = image && at + read == artifact.size();
                if (read <= 0
                        || (completes && !rollouts.expose(device, work))
                        || !transfer.allowed()
                        || !write(request, transfer, buffer.array(), read)) {
                    HardClose.of(connection);
                    return;
                }
                at += read;
            }
        }
        request.vertx().runOnContext(_ -> request.response().end());
    }

    private static boolean write(RoutingContext request, ByteLeases.Transfer transfer, byte[] chunk, int length)
            throws InterruptedException {
        try {
            var written = request.response()
                    .write(Buffer.buffer(java.util.Arrays.copyOf(chunk, length)))
                    .toCompletionStage()
                    .toCompletableFuture();
            transfer.served(length);
            written.get(SLOWEST_SECONDS, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException | TimeoutException | IllegalStateException gone) {
            return false;
        }
    }

    @Override
    public void close() {
        workers.close();
    }
}
