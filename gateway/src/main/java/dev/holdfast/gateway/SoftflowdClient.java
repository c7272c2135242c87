package dev.holdfast.gateway;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Asks softflowd, by its control socket, to export what it has several times a second: left alone it tells of a flow
/// only when the flow is over, which is too late to stop it.
public final class SoftflowdClient implements AutoCloseable {
    private static final Duration EVERY = Duration.ofMillis(100);
    private static final byte[] EXPIRE = "expire-all\n".getBytes(StandardCharsets.US_ASCII);

    private final Path control;
    private final Consumer<String> log;
    private final Thread thread;
    private volatile boolean closed;

    /// @param control softflowd's control socket (its option `-c`)
    public static SoftflowdClient open(Path control, Consumer<String> log) {
        return new SoftflowdClient(control, log);
    }

    private SoftflowdClient(Path control, Consumer<String> log) {
        this.control = control;
        this.log = log;
        this.thread = Thread.ofPlatform().daemon().name("softflowd").start(this::ask);
    }

    private void ask() {
        boolean complained = false;
        while (!closed) {
            try {
                expire();
                complained = false;
            } catch (IOException e) {
                if (!complained) {
                    log.accept("softflowd does not answer on " + control + ": " + e.getMessage());
                    complained = true;
                }
            }
            try {
                TimeUnit.MILLISECONDS.sleep(EVERY.toMillis());
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void expire() throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(control))) {
            channel.write(ByteBuffer.wrap(EXPIRE));
            ByteBuffer answer = ByteBuffer.allocate(512);
            while (answer.hasRemaining() && channel.read(answer) >= 0) {
                // Its words don't matter; that it has answered does.
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
