package dev.holdfast.notify;

import dev.holdfast.config.Configuration;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// The room's door: where operators are told, and what became of it.
public final class Channels implements AutoCloseable {
    static final String TESTED = "notify.channel-tested";
    static final String DEAD = "notify.dead";
    private static final int MOST = 50;
    private static final Pattern MAIL = Pattern.compile("[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,253}");
    private static final Pattern KIND = Pattern.compile("[a-z][a-z0-9-]*\\.([a-z][a-z0-9-]*|\\*)");

    private final Database database;
    private final Journal journal;
    private final SecureRandom random;
    private final SecretBox box;
    private final boolean loopback;
    private final String mailFrom;
    private final WebhookClient webhooks;
    private final SmtpClient mail;
    private final Outbox outbox;

    /// A channel that was made.
    ///
    /// @param secret `whsec_...`, to verify our signature with; for webhooks only, shown now and never again
    public record Made(Channel channel, Optional<String> secret) {}

    public sealed interface Added {
        record Done(Made made) implements Added {}

        /// @param why in a sentence, such as that the address is not https
        record Refused(String why) implements Added {}
    }

    /// @param key 32 octets, the same on every node of the installation, under which webhooks' secrets are stored
    public Channels(
            Database database,
            Journal journal,
            Vertx vertx,
            Configuration configuration,
            byte[] key,
            SecureRandom random,
            InstantSource clock)
            throws IOException {
        this(database, journal, vertx, configuration, key, random, clock, Outbox.Patience.DEFAULT);
    }

    Channels(
            Database database,
            Journal journal,
            Vertx vertx,
            Configuration configuration,
            byte[] key,
            SecureRandom random,
            InstantSource clock,
            Outbox.Patience patience)
            throws IOException {
        this.database = database;
        this.journal = journal;
        this.random = random;
        this.box = new SecretBox(key, random);
        loopback = configuration.notifications().loopbackWebhooks();
        String from = configuration.notifications().mailFrom();
        String host = configuration.publicHostName();
        mailFrom = from != null ? from : "holdfast@" + (host == null ? "localhost.localdomain" : host);
        webhooks = new WebhookClient(vertx, loopback);
        mail = new SmtpClient(vertx, configuration.smtp());
        outbox = new Outbox(database, journal, clock, patience, (channel, message) -> bring(channel, message, clock));
    }

    /// Begins to follow the journal from where it was left, and to deliver; called once.
    public void start() {
        // An earlier version kept them as they are.
        database.run(sql -> NotifyStore.sealSecrets(sql, SecretBox::isSealed, box::seal));
        outbox.start();
    }

    private Sent bring(Channel channel, NotifyStore.Taken message, InstantSource clock) {
        String id = "msg_" + channel.id() + "_" + message.entry();
        return switch (channel.target()) {
            case Channel.Target.Webhook webhook -> {
                String secret;
                try {
                    secret = box.open(database.read(sql -> NotifyStore.secret(sql, channel.id())), owner(channel));
                } catch (SecretBox.UnreadableException e) {
                    yield new Sent.Away(String.valueOf(e.getMessage()));
                }
                yield webhooks.send(webhook.url(), secret, id, message.payload(), clock.instant());
            }
            case Channel.Target.Mail m ->
                mail.send(
                        m.to(),
                        m.from().isEmpty() ? mailFrom : m.from(),
                        id,
                        Message.subject(message.payload()),
                        Message.text(message.payload()));
        };
    }

    private static String owner(Channel channel) {
        return NotifyStore.owner(channel.environment().value(), channel.name());
    }

    public List<Channel> list(Environment environment) {
        return database.read(sql -> NotifyStore.channels(sql, environment));
    }

    /// @param kinds journal kinds, or `incident.*`; empty for [Channel#DEFAULT_KINDS]
    public Added add(
            Environment environment,
            String name,
            Channel.Target target,
            List<String> kinds,
            Channel.Severity minimumSeverity,
            Actor actor) {
        Optional<String> refusal = refusal(name, target, kinds);
        if (refusal.isPresent()) {
            return new Added.Refused(refusal.get());
        }
        Optional<String> secret = target instanceof Channel.Target.Webhook ? Optional.of(secret()) : Optional.empty();
        return journal.commit(tx -> {
            if (NotifyStore.count(tx.sql(), environment) >= MOST) {
                return new Added.Refused("there are " + MOST + " channels already");
            }
            if (NotifyStore.nameIsTaken(tx.sql(), environment, name)) {
                return new Added.Refused("there is a channel of this name already");
            }
            long id = NotifyStore.insert(
                    tx.sql(),
                    new Channel(
                            0,
                            environment,
                            name,
                            target,
                            kinds,
                            minimumSeverity,
                            true,
                            tx.now(),
                            new Channel.Health(0, 0, Optional.empty(), "")),
                    secret.map(clear -> box.seal(clear, NotifyStore.owner(environment.value(), name))));
            record(tx, "notify.channel-added", environment, id, actor, "channel added", Map.of("name", name));
            return new Added.Done(
                    new Made(NotifyStore.channel(tx.sql(), environment, id).orElseThrow(), secret));
        });
    }

    private Optional<String> refusal(String name, Channel.Target target, List<String> kinds) {
        if (!name.matches("[\\p{L}\\p{N} ._-]{1,80}")) {
            return Optional.of("a channel's name is 1 to 80 letters, digits, spaces, '.', '_', '-'");
        }
        if (kinds.size() > 50
                || kinds.stream().anyMatch(kind -> !KIND.matcher(kind).matches())) {
            return Optional.of("kinds are written like incident.opened or incident.*, at most 50");
        }
        return switch (target) {
            case Channel.Target.Webhook webhook -> WebhookAddress.refusal(webhook.url(), loopback);
            case Channel.Target.Mail m -> {
                if (!mail.isConfigured()) {
                    yield Optional.of("no mail server is configured: set smtp.host");
                }
                boolean valid = !m.to().isEmpty()
                        && m.to().size() <= 20
                        && m.to().stream().allMatch(to -> MAIL.matcher(to).matches())
                        && (m.from().isEmpty() || MAIL.matcher(m.from()).matches());
                yield valid ? Optional.empty() : Optional.of("mail goes to 1 to 20 addresses like shift@example.org");
            }
        };
    }

    private String secret() {
        byte[] octets = new byte[32];
        random.nextBytes(octets);
        return "whsec_" + Base64.getEncoder().encodeToString(octets);
    }

    public boolean setEnabled(Environment environment, long id, boolean enabled, Actor actor) {
        return journal.commit(tx -> {
            boolean known = NotifyStore.setEnabled(tx.sql(), environment, id, enabled);
            if (known) {
                String what = enabled ? "enabled" : "disabled";
                record(tx, "notify.channel-" + what, environment, id, actor, "channel " + what, Map.of());
            }
            return known;
        });
    }

    /// Removes the channel, and what still waits for it.
    public boolean remove(Environment environment, long id, Actor actor) {
        return journal.commit(tx -> {
            boolean known = NotifyStore.remove(tx.sql(), environment, id);
            if (known) {
                record(tx, "notify.channel-removed", environment, id, actor, "channel removed", Map.of());
            }
            return known;
        });
    }

    /// Newest first.
    public List<Delivery> deliveries(Environment environment, long channel, long before, int limit) {
        return database.read(sql -> NotifyStore.deliveries(sql, environment, channel, before, limit));
    }

    /// Sends a test notification through the outbox.
    public boolean test(Environment environment, long channel, Actor actor) {
        return journal.commit(tx -> {
            if (NotifyStore.channel(tx.sql(), environment, channel).isEmpty()) {
                return false;
            }
            record(
                    tx,
                    TESTED,
                    environment,
                    channel,
                    actor,
                    "This is a test: notifications of this channel arrive here.",
                    Map.of("channel", channel));
            return true;
        });
    }

    /// Tries the dead ones again.
    ///
    /// @return how many
    public int redeliver(Environment environment, long channel, Actor actor) {
        int revived = journal.commit(tx -> {
            if (NotifyStore.channel(tx.sql(), environment, channel).isEmpty()) {
                return 0;
            }
            int count = NotifyStore.revive(tx.sql(), channel, tx.now());
            record(
                    tx,
                    "notify.redelivery-asked",
                    environment,
                    channel,
                    actor,
                    "dead notifications tried again",
                    Map.of("count", count));
            return count;
        });
        outbox.wake();
        return revived;
    }

    private static void record(
            Transaction tx,
            String kind,
            Environment environment,
            long channel,
            Actor actor,
            String reason,
            Map<String, ?> body) {
        tx.record(new Entry(kind, environment, "channel:" + channel, actor, reason, body));
    }

    @Override
    public void close() {
        outbox.close();
        webhooks.close();
        mail.close();
    }
}
