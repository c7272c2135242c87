package dev.holdfast.agent;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/// Sees to it that the device has a certificate: gets the first one, and a new one with a new key well before
/// that one ends, or when the server says so.
final class IdentityKeeper {
    private static final Duration RENEWAL_CHECK = Duration.ofSeconds(1);
    private static final Duration RENEWAL_RETRY = Duration.ofMinutes(1);

    private final AgentSettings settings;
    private final Enroller enroller;
    private final Life life;
    private final InstantSource clock;
    private final Lifeline device;
    private final Runnable changed;
    private @Nullable DeviceIdentity identity;
    private boolean renewing;
    private Instant renewNotBefore = Instant.MIN;
    private @Nullable Advice advice;

    /// What the server said of one certificate.
    private record Advice(String serial, Instant renewAfter) {}

    /// @param changed called with each identity that comes into use
    IdentityKeeper(
            AgentSettings settings,
            Enroller enroller,
            Life life,
            InstantSource clock,
            Lifeline device,
            Runnable changed) {
        this.settings = settings;
        this.enroller = enroller;
        this.life = life;
        this.clock = clock;
        this.device = device;
        this.changed = changed;
    }

    @Nullable
    DeviceIdentity identity() {
        return identity;
    }

    /// A new life begins.
    void start() throws IOException {
        renewing = false;
        identity = enroller.stored();
        if (identity == null) {
            enrol();
        } else {
            changed.run();
        }
        life.later(RENEWAL_CHECK, this::renewWhenDue);
    }

    private void enrol() {
        if (settings.credential().isEmpty()) {
            device.noted("not-enrolled", "no certificate yet, and no token or manufacturer certificate to get one");
            return;
        }
        int mine = life.number();
        try {
            enroller.enrol(settings.credential().get(), result -> {
                if (life.is(mine)) {
                    enrolled(result);
                }
            });
        } catch (IOException e) {
            device.storeFailed(e);
        }
    }

    private void enrolled(Enroller.Result result) {
        switch (result) {
            case Enroller.Result.Issued issued -> {
                identity = issued.identity();
                issued.renewAfter().ifPresent(at -> advised(number(issued.identity()), at));
                device.noted("enrolled", serial(issued.identity()));
                changed.run();
            }
            case Enroller.Result.Later wait -> {
                device.noted("enrolment-waits", wait.why());
                life.retry(wait.after(), this::enrol);
            }
            case Enroller.Result.Refused refused -> {
                device.noted("enrolment-refused", refused.reason());
                life.retry(settings.pace().retryMost(), this::enrol);
            }
        }
    }

    /// A certificate is renewed with a new key; then everything reconnects with the new one.
    private void renewWhenDue() {
        life.later(RENEWAL_CHECK, this::renewWhenDue);
        DeviceIdentity own = identity;
        Instant now = clock.instant();
        if (own == null || renewing || now.isBefore(renewAt(own)) || now.isBefore(renewNotBefore)) {
            return;
        }
        renewing = true;
        int mine = life.number();
        try {
            enroller.renew(own, result -> {
                if (life.is(mine)) {
                    renewing = false;
                    renewed(result);
                }
            });
        } catch (IOException e) {
            device.storeFailed(e);
        }
    }

    /// The server knows when it has time for this device, and when something is wrong with the certificate: its
    /// word counts, but not past the point from which on too little time would be left to try again.
    private Instant renewAt(DeviceIdentity own) {
        Advice told = advice;
        if (told == null
                || !told.serial().equals(own.certificate().getSerialNumber().toString(16))) {
            return own.renewAt();
        }
        return told.renewAfter().isBefore(own.latestRenewal()) ? told.renewAfter() : own.latestRenewal();
    }

    /// The server's word about when to renew which certificate: desired state, `{"serial":...,
    /// "renewAfter":...}`.
    void advised(String serial, Instant renewAfter) {
        advice = new Advice(serial, renewAfter);
    }

    private void renewed(Enroller.Result result) {
        switch (result) {
            case Enroller.Result.Issued issued -> {
                identity = issued.identity();
                issued.renewAfter().ifPresent(at -> advised(number(issued.identity()), at));
                device.noted("renewed", serial(issued.identity()));
                changed.run();
            }
            case Enroller.Result.Later wait -> {
                device.noted("renewal-waits", wait.why());
                renewNotBefore = clock.instant().plus(wait.after());
            }
            case Enroller.Result.Refused refused -> {
                device.noted("renewal-refused", refused.reason());
                renewNotBefore = clock.instant().plus(RENEWAL_RETRY);
            }
        }
    }

    private static String serial(DeviceIdentity identity) {
        return "certificate " + number(identity);
    }

    private static String number(DeviceIdentity identity) {
        return identity.certificate().getSerialNumber().toString(16);
    }
}
