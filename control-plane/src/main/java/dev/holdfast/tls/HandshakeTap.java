package dev.holdfast.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import java.util.function.BiConsumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// At the first octets of a connection, which come after its TLS handler was put in place, asks that handler to
/// tell how the handshake ends; leaves the pipeline when it has.
///
/// Until then it looks out for an alert in clear. A client of OpenSSL that does not like our certificate says so
/// before it has keys to say it with (TLS 1.3), and the engine, which expects encrypted records by then, calls that
/// a bad packet: what the client said would be lost (RFC 8446 section 6.2). Nobody has signed such an alert; it
/// explains a failure and decides nothing.
final class HandshakeTap extends ChannelInboundHandlerAdapter {
    private static final int ALERT_RECORD = 21;
    private static final int RECORD_LENGTH = 7; // type, version, length 2, level, description (RFC 8446 section 5.1)

    private final BiConsumer<Channel, Throwable> failed;
    private boolean listens;
    private @Nullable String alert;

    HandshakeTap(BiConsumer<Channel, Throwable> failed) {
        this.failed = failed;
    }

    /// What the client said in clear, in place of what the engine made of it.
    static final class AlertInClear extends SSLException {
        private static final long serialVersionUID = 1L;

        AlertInClear(String alert, Throwable cause) {
            super("the client's alert: " + alert, cause);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!listens) {
            listens = true;
            listen(context);
        } else if (message instanceof ByteBuf octets) {
            look(octets);
        }
        context.fireChannelRead(message);
    }

    private void listen(ChannelHandlerContext context) {
        SslHandler tls = context.pipeline().get(SslHandler.class);
        if (tls == null) {
            context.pipeline().remove(this);
            return;
        }
        Channel channel = context.channel();
        tls.handshakeFuture().addListener(done -> {
            if (!done.isSuccess()) {
                String said = alert;
                boolean lost = String.valueOf(done.cause().getMessage()).contains("BAD_PACKET_LENGTH");
                failed.accept(channel, said != null && lost ? new AlertInClear(said, done.cause()) : done.cause());
            }
            if (!context.isRemoved()) {
                context.pipeline().remove(this);
            }
        });
    }

    private void look(ByteBuf octets) {
        int at = octets.writerIndex() - RECORD_LENGTH;
        if (at >= octets.readerIndex()
                && octets.getByte(at) == ALERT_RECORD
                && octets.getByte(at + 1) == 3
                && octets.getUnsignedShort(at + 3) == 2) {
            alert = name(octets.getUnsignedByte(at + 6));
        }
    }

    /// RFC 8446 section 6.
    private static String name(int description) {
        return switch (description) {
            case 40 -> "handshake_failure";
            case 42 -> "bad_certificate";
            case 43 -> "unsupported_certificate";
            case 44 -> "certificate_revoked";
            case 45 -> "certificate_expired";
            case 46 -> "certificate_unknown";
            case 48 -> "unknown_ca";
            case 70 -> "protocol_version";
            case 71 -> "insufficient_security";
            case 80 -> "internal_error";
            case 90 -> "user_canceled";
            default -> "number " + description;
        };
    }
}
