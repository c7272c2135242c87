package dev.holdfast.agent;

import io.netty.handler.codec.http.HttpHeaders;
import java.io.ByteArrayOutputStream;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Collects an answer up to a size, then hands it on whole.
public final class WholeAnswer implements DeviceHttpClient.Receiver {
    private final int mostOctets;
    private final Consumer<Result> then;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private int status;
    private @Nullable HttpHeaders headers;

    public sealed interface Result {
        @SuppressWarnings("ArrayRecordComponent") // never compared
        record Answer(int status, HttpHeaders headers, byte[] body) implements Result {
            public boolean ok() {
                return status >= 200 && status < 300;
            }
        }

        /// Nothing came, or nothing usable.
        record Failed(String reason) implements Result {}
    }

    public WholeAnswer(int mostOctets, Consumer<Result> then) {
        this.mostOctets = mostOctets;
        this.then = then;
    }

    @Override
    public boolean head(int code, HttpHeaders fields) {
        status = code;
        headers = fields;
        return true;
    }

    @Override
    public boolean body(byte[] piece) {
        if (body.size() + piece.length > mostOctets) {
            return false;
        }
        body.writeBytes(piece);
        return true;
    }

    @Override
    public void end() {
        HttpHeaders fields = headers;
        then.accept(
                fields == null
                        ? new Result.Failed("an answer without a head")
                        : new Result.Answer(status, fields, body.toByteArray()));
    }

    @Override
    public void failed(String reason) {
        then.accept(new Result.Failed(reason));
    }
}
