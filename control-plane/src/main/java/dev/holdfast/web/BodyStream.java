package dev.holdfast.web;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// A request's body for a thread that may block, read from the socket only as fast as it is consumed.
///
/// Bounded in size, in the time between two pieces, and in its mean rate, so that a client that trickles can't hold a
/// thread for ever.
public final class BodyStream extends InputStream {
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final long SLOWEST_BYTES_PER_SECOND = 1_024;
    private static final Piece END = new Piece(Buffer.buffer(0), Kind.END);
    private static final Piece BROKEN = new Piece(Buffer.buffer(0), Kind.BROKEN);

    private final Context context;
    private final HttpServerRequest request;
    private final BlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();
    private final long startedAt = System.nanoTime();
    private long limit = Long.MAX_VALUE;
    private long taken;
    private byte[] current = {};
    private int position;
    private boolean ended;

    private enum Kind {
        DATA,
        END,
        BROKEN
    }

    private record Piece(Buffer bytes, Kind kind) {}

    /// On the request's event loop; the request is paused until somebody reads.
    BodyStream(Context context, HttpServerRequest request) {
        this.context = context;
        this.request = request;
        request.pause();
        request.handler(bytes -> pieces.add(new Piece(bytes, Kind.DATA)));
        request.endHandler(_ -> pieces.add(END));
        request.exceptionHandler(_ -> pieces.add(BROKEN));
    }

    public void limit(long bytes) {
        limit = bytes;
    }

    boolean ended() {
        return ended;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (position == current.length) {
            if (ended) {
                return -1;
            }
            next();
        }
        int count = Math.min(length, current.length - position);
        System.arraycopy(current, position, into, offset, count);
        position += count;
        return count;
    }

    private void next() throws IOException {
        context.runOnContext(_ -> request.fetch(1));
        Piece piece;
        try {
            piece = pieces.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
        long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startedAt);
        if (piece == null || seconds > PATIENCE.toSeconds() + taken / SLOWEST_BYTES_PER_SECOND) {
            throw new Problem(ProblemType.TOO_SLOW, "only " + taken + " bytes came in " + seconds + " s");
        }
        if (piece.kind() == Kind.END) {
            ended = true;
        } else if (piece.kind() == Kind.BROKEN) {
            throw new EOFException("the client went away in the middle of the body");
        }
        current = piece.bytes().getBytes();
        position = 0;
        taken += current.length;
        if (taken > limit) {
            throw new Problem(ProblemType.TOO_LARGE, "the body is larger than " + limit + " bytes");
        }
    }
}
