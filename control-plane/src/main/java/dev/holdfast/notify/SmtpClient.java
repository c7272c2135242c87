package dev.holdfast.notify;

import dev.holdfast.config.Configuration;
import io.vertx.core.Vertx;
import io.vertx.ext.mail.LoginOption;
import io.vertx.ext.mail.MailClient;
import io.vertx.ext.mail.MailConfig;
import io.vertx.ext.mail.MailMessage;
import io.vertx.ext.mail.SMTPException;
import io.vertx.ext.mail.StartTLSOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Hands a message to the mail server that is configured. Plain text: what devices say stays text.
final class SmtpClient implements AutoCloseable {
    private static final Duration MOST = Duration.ofSeconds(30);

    private final @Nullable MailClient client;

    SmtpClient(Vertx vertx, Configuration.SmtpSettings settings) throws IOException {
        if (settings.host() == null) {
            client = null;
            return;
        }
        MailConfig config = new MailConfig()
                .setHostname(settings.host())
                .setPort(settings.port())
                .setStarttls(settings.startTls() ? StartTLSOptions.REQUIRED : StartTLSOptions.DISABLED)
                .setLogin(settings.user() == null ? LoginOption.DISABLED : LoginOption.REQUIRED)
                .setKeepAlive(false)
                .setMaxPoolSize(2)
                .setAllowRcptErrors(false)
                .setUserAgent("holdfast");
        if (settings.user() != null) {
            config.setUsername(settings.user());
            config.setPassword(
                    settings.passwordFile() == null
                            ? ""
                            : Files.readString(Path.of(settings.passwordFile())).strip());
        }
        client = MailClient.create(vertx, config);
    }

    boolean isConfigured() {
        return client != null;
    }

    /// Blocks: for virtual threads.
    ///
    /// @param id the same for every attempt at this message
    Sent send(List<String> to, String from, String id, String subject, String text) {
        if (client == null) {
            return new Sent.Away("no mail server is configured: set smtp.host");
        }
        MailMessage message = new MailMessage()
                .setFrom(from)
                .setTo(to)
                .setSubject(line(subject))
                .setText(text);
        message.addHeader("Message-ID", "<" + id + "@holdfast>");
        message.addHeader("Auto-Submitted", "auto-generated");
        message.addHeader("X-Holdfast-Id", id);
        try {
            client.sendMail(message)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(MOST.toMillis(), TimeUnit.MILLISECONDS);
            return new Sent.Accepted();
        } catch (ExecutionException e) {
            return e.getCause() instanceof SMTPException smtp && smtp.isPermanent()
                    ? new Sent.Rejected("the mail server answered " + smtp.getReplyCode() + ": "
                            + line(String.valueOf(smtp.getReplyMessage())))
                    : new Sent.Away("the mail server was not reached: " + line(String.valueOf(e.getMessage())));
        } catch (TimeoutException e) {
            return new Sent.Away("the mail server did not answer within " + MOST.toSeconds() + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Sent.Away("the server is stopping");
        }
    }

    /// One line, printable, bounded: nothing that a device said becomes a header of its own.
    static String line(String text) {
        String one = text.replaceAll("[\\p{Cntrl}\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]+", " ");
        return one.length() > 150 ? one.substring(0, 147) + "..." : one;
    }

    @Override
    public void close() {
        if (client != null) {
            client.close();
        }
    }
}
