package dev.holdfast.simulator;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/// The city that a seed makes: districts, meters, who turns hostile, how bad the bad release is. Pure.
///
/// @param badShare the share of meters that the bad release keeps from starting
/// @param hostile the meter that will turn
/// @param cloned the meter whose key will be copied
public record CityPlan(
        long seed, List<District> districts, List<Meter> meters, double badShare, Meter hostile, Meter cloned) {
    private static final List<String> NAMES =
            List.of("harbour", "old-town", "riverside", "hillcrest", "foundry", "meadows");
    private static final List<String> STREETS = List.of(
            "Anchor", "Beacon", "Cooper", "Drift", "Elm", "Ferry", "Garnet", "Heron", "Island", "Juniper", "Kelp",
            "Linden", "Mill", "North", "Orchard", "Pier", "Quarry", "Rope", "Sable", "Tide", "Union", "Vine", "Weir");
    /// A gateway's list of members must fit into one desired state.
    private static final int MOST_PER_GATEWAY = 400;

    /// The metrics of a meter, with their units and the range that is physically possible.
    public static final Map<String, double[]> BANDS = new TreeMap<>(Map.of(
            "powerKw", new double[] {-5, 25},
            "voltage", new double[] {190, 265},
            "temperature", new double[] {-40, 85}));

    public static final String MODEL = "kelp-meter-3";
    public static final String HARDWARE = "rev-c";
    public static final String GATEWAY_MODEL = "kelp-gateway-1";
    public static final String FACTORY_VERSION = "1.0.0";
    public static final String GOOD_VERSION = "1.1.0";
    public static final String BAD_VERSION = "1.2.0";

    /// @param gateways their device ids; each meter of the district has one of them
    public record District(String name, int number, List<String> gateways) {}

    /// @param address its own on the (simulated) network: one of this host's loopback addresses
    /// @param base what its household uses in the mean, kW
    public record Meter(
            String id,
            String serialNumber,
            District district,
            String gateway,
            String site,
            String street,
            String address,
            int x,
            int y,
            double base,
            long salt) {}

    public static CityPlan of(long seed, int count) {
        SplittableRandom random = new SplittableRandom(seed);
        String series = String.format(Locale.ROOT, "%03x", random.nextInt(0x1000));
        List<District> districts = new ArrayList<>();
        int perDistrict = (count + NAMES.size() - 1) / NAMES.size();
        int gatewaysEach = Math.max(1, (perDistrict + MOST_PER_GATEWAY - 1) / MOST_PER_GATEWAY);
        for (int d = 0; d < NAMES.size(); d++) {
            List<String> gateways = new ArrayList<>();
            for (int g = 1; g <= gatewaysEach; g++) {
                gateways.add("gw-" + NAMES.get(d) + (gatewaysEach == 1 ? "" : "-" + g));
            }
            districts.add(new District(NAMES.get(d), d, List.copyOf(gateways)));
        }
        List<Meter> meters = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            District district = districts.get(i % districts.size());
            int nth = i / districts.size();
            String street = STREETS.get(random.nextInt(STREETS.size())) + " Street " + (1 + random.nextInt(180));
            meters.add(new Meter(
                    String.format(Locale.ROOT, "m-%s-%05d", series, i + 1),
                    String.format(Locale.ROOT, "KM3-%s-%08x", series, random.nextInt()),
                    district,
                    district.gateways().get(nth % district.gateways().size()),
                    String.format(Locale.ROOT, "%s-%02d", district.name(), 1 + nth / 40),
                    street,
                    "127." + (20 + district.number()) + "." + (1 + nth / 250) + "." + (1 + nth % 250),
                    (district.number() % 3) * 40 + random.nextInt(36),
                    (district.number() / 3) * 40 + random.nextInt(36),
                    0.3 + 2.2 * random.nextDouble() * random.nextDouble(),
                    random.nextLong()));
        }
        int hostile = random.nextInt(count);
        // Of another site: so that what happens to the one does not use up the other's limit of automatic
        // responses.
        int cloned = hostile;
        while (meters.get(cloned).site().equals(meters.get(hostile).site())) {
            cloned = random.nextInt(count);
        }
        double badShare = 0.4 + 0.4 * random.nextDouble();
        return new CityPlan(
                seed, List.copyOf(districts), List.copyOf(meters), badShare, meters.get(hostile), meters.get(cloned));
    }

    public List<String> gateways() {
        return districts.stream().flatMap(d -> d.gateways().stream()).toList();
    }

    /// What the meter measures at this moment: the same function makes its past and its present.
    public static Map<String, Double> measure(Meter meter, Instant at) {
        double hour = at.atOffset(ZoneOffset.UTC).toLocalTime().toSecondOfDay() / 3600.0;
        boolean weekend = at.atOffset(ZoneOffset.UTC).getDayOfWeek().getValue() > 5;
        double morning = bump(hour, weekend ? 9.5 : 7.2, 1.6);
        double evening = bump(hour, 19.5, 2.4);
        double power = meter.base() * (0.45 + 0.8 * morning + 1.2 * evening) * (1 + 0.18 * noise(meter, at, 1));
        double voltage = 231 - 0.8 * power + 1.2 * noise(meter, at, 2);
        double temperature = 17 + 5 * bump(hour, 15, 5) + 0.9 * power + 0.8 * noise(meter, at, 3);
        return Map.of("powerKw", round(power), "voltage", round(voltage), "temperature", round(temperature));
    }

    /// Roughly normal between -1 and 1, the same for the same moment.
    private static double noise(Meter meter, Instant at, int which) {
        SplittableRandom random = new SplittableRandom(meter.salt() * 31 + at.toEpochMilli() * 7 + which);
        return (random.nextDouble() + random.nextDouble() + random.nextDouble()) / 1.5 - 1;
    }

    private static double bump(double hour, double centre, double width) {
        double away = Math.min(Math.abs(hour - centre), 24 - Math.abs(hour - centre)) / width;
        return Math.exp(-away * away / 2);
    }

    private static double round(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    /// When this meter took the reading that the old system filed under the given time: within half an hour of
    /// it, as meters do that nobody set to the same second. An hour is known by all of its minutes that way,
    /// and what is usual does not jump when the clock strikes.
    public static Instant readingTime(Meter meter, Instant filed) {
        SplittableRandom random = new SplittableRandom(meter.salt() ^ filed.toEpochMilli());
        return filed.plusSeconds(random.nextInt(-1800, 1800));
    }

    /// The times of the week of history before this moment, oldest first.
    public static List<Instant> history(Instant now, Duration step) {
        List<Instant> times = new ArrayList<>();
        for (Instant at = now.minus(Duration.ofDays(7)); at.isBefore(now.minusSeconds(1800)); at = at.plus(step)) {
            times.add(at);
        }
        return times;
    }
}
