package dev.holdfast.inventory;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// How much harm a device could do or suffer, from what is known of it, each point with its reason. Pure.
///
/// Label `criticality` (`low`, `medium`, `high`, `critical`) is the operator's own word and only ever raises
/// the class.
public final class RiskClassifier {
    private static final String CRITICALITY = "criticality";
    private static final Duration LONG_UNHEARD = Duration.ofDays(7);

    private RiskClassifier() {}

    /// @param behind how many devices are reached through it
    /// @param openIncidents not closed yet
    /// @param worstIncident of those, in words such as `HIGH`; empty for none
    public record Facts(int behind, int openIncidents, Optional<Risk.Level> worstIncident) {}

    public static Risk classify(Device device, Optional<Model> model, Facts facts, Instant now) {
        int points = 0;
        List<String> reasons = new ArrayList<>();
        if (facts.behind() > 0) {
            points += facts.behind() >= 50 ? 3 : 2;
            reasons.add(facts.behind() + (facts.behind() == 1 ? " device is" : " devices are") + " reached through it");
        }
        if (facts.openIncidents() > 0) {
            Risk.Level worst = facts.worstIncident().orElse(Risk.Level.LOW);
            points += worst.compareTo(Risk.Level.HIGH) >= 0 ? 3 : worst == Risk.Level.MEDIUM ? 2 : 1;
            reasons.add(facts.openIncidents() + (facts.openIncidents() == 1 ? " open incident" : " open incidents")
                    + ", the worst " + worst.name().toLowerCase(Locale.ROOT));
        }
        if (device.state() == Lifecycle.QUARANTINED || device.state() == Lifecycle.SUSPENDED) {
            points += 3;
            reasons.add("it is " + device.state().text() + ": " + device.stateReason());
        }
        if (model.isEmpty() || model.get().allowedFlows().isEmpty()) {
            points++;
            reasons.add("its model does not say whom it may talk to, so its traffic is not judged");
        }
        // One that has never used its certificate can't have reported anything.
        if (device.firmware().isEmpty()
                && device.state() != Lifecycle.REGISTERED
                && device.state() != Lifecycle.ENROLLED) {
            points++;
            reasons.add("it has not reported its firmware");
        }
        if (device.reachesVia().isEmpty()) {
            points++;
            reasons.add("no gateway is known through which it could be cut off from the network");
        }
        if (device.lastContact().isPresent()
                && device.lastContact().get().plus(LONG_UNHEARD).isBefore(now)) {
            points++;
            reasons.add("not heard since " + device.lastContact().get());
        }
        Risk.Level level = points >= 6
                ? Risk.Level.CRITICAL
                : points >= 4 ? Risk.Level.HIGH : points >= 2 ? Risk.Level.MEDIUM : Risk.Level.LOW;
        Optional<Risk.Level> stated = device.labels().get(CRITICALITY).flatMap(RiskClassifier::level);
        if (stated.isPresent() && stated.get().compareTo(level) > 0) {
            level = stated.get();
            reasons.add(
                    "an operator says that it is of " + stated.get().name().toLowerCase(Locale.ROOT) + " criticality");
        }
        if (reasons.isEmpty()) {
            reasons.add("nothing speaks against it");
        }
        return new Risk(level, reasons);
    }

    private static Optional<Risk.Level> level(String text) {
        for (Risk.Level level : Risk.Level.values()) {
            if (level != Risk.Level.UNKNOWN && level.name().equalsIgnoreCase(text)) {
                return Optional.of(level);
            }
        }
        return Optional.empty();
    }
}
