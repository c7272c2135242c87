package dev.holdfast.response;

import java.time.Instant;
import java.util.Optional;

/// How far automatic isolation has gone already, and what holds it back here.
///
/// @param weight how many devices this isolation takes from the network: the device, and what is reached
///     through it
/// @param isolated the weights of automatic isolations within the window, in the whole environment
/// @param exempt why the device, or one reached through it, is on the never-isolate list
/// @param switchedOff whether automatic isolation is switched off altogether
/// @param undone when a person last undid an isolation of this device
record BlastRadius(
        Limits limits,
        int weight,
        long population,
        int isolated,
        Optional<Site> site,
        Optional<String> exempt,
        boolean switchedOff,
        Optional<Instant> undone) {

    record Site(String name, long population, int isolated) {}

    /// Why one more isolation would go too far, or empty.
    Optional<String> exceeded() {
        int allowance = limits.allowance(population);
        if (isolated + weight > allowance) {
            return Optional.of(tooMany(isolated, allowance, population, "of this environment"));
        }
        if (site.isPresent()) {
            int atSite = limits.allowance(site.get().population());
            if (site.get().isolated() + weight > atSite) {
                return Optional.of(tooMany(
                        site.get().isolated(),
                        atSite,
                        site.get().population(),
                        "of site " + site.get().name()));
            }
        }
        return Optional.empty();
    }

    private String tooMany(int already, int allowance, long of, String where) {
        return "automatic isolation may take " + allowance + " of the " + of + " devices " + where + " within "
                + limits.window().toMinutes() + " minutes; " + already + " are taken and this would take " + weight
                + " more";
    }
}
