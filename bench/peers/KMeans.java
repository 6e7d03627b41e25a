import java.io.Serializable;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.StorageLevel;

/**
 * The k-means of bench/jobs/kmeans.c: KMeans POINTS K N. The first K points are the first centres; prints the centres after N
 * iterations, one a line.
 */
class KMeans {
    /** Of the points that are nearest to each centre. */
    private static class Sums implements Serializable {
        final long[] counts;
        final double[][] sums;

        Sums(int k, int dimensions) {
            counts = new long[k];
            sums = new double[k][dimensions];
        }

        void add(int k, double[] point) {
            double[] sum = sums[k];

            counts[k]++;
            for (int i = 0; i < sum.length; i++)
                sum[i] += point[i];
        }

        Sums add(Sums other) {
            for (int k = 0; k < counts.length; k++) {
                counts[k] += other.counts[k];
                for (int i = 0; i < sums[k].length; i++)
                    sums[k][i] += other.sums[k][i];
            }
            return this;
        }
    }

    /**
     * `across` has the first numbers of all centres, then the second ones: the JVM takes several centres at once. `distance`
     * is room for as many.
     */
    private static int nearest(double[][] across, double[] distance, double[] point) {
        int best = 0;

        Arrays.fill(distance, 0);
        for (int i = 0; i < point.length; i++) {
            double[] centres = across[i];
            double number = point[i];

            for (int k = 0; k < distance.length; k++)
                distance[k] += (number - centres[k]) * (number - centres[k]);
        }
        for (int k = 1; k < distance.length; k++)
            best = distance[k] < distance[best] ? k : best;
        return best;
    }

    private static double[][] across(double[][] centres) {
        double[][] across = new double[centres[0].length][centres.length];

        for (int k = 0; k < centres.length; k++)
            for (int i = 0; i < across.length; i++)
                across[i][k] = centres[k][i];
        return across;
    }

    private static Iterator<Sums> sums(double[][] centres, Iterator<double[]> points) {
        Sums sums = new Sums(centres.length, centres[0].length);
        double[][] across = across(centres);
        double[] distance = new double[centres.length];

        while (points.hasNext()) {
            double[] point = points.next();

            sums.add(nearest(across, distance, point), point);
        }
        return List.of(sums).iterator();
    }

    static void run(JavaSparkContext spark, String[] args) {
        JavaRDD<double[]> points = Points.read(spark, args[0]).persist(StorageLevel.MEMORY_ONLY());
        double[][] centres = points.take(Integer.parseInt(args[1])).toArray(new double[0][]);

        for (int n = Integer.parseInt(args[2]); n > 0; n--) {
            double[][] now = centres;
            Sums sums = points.mapPartitions(some -> sums(now, some)).reduce(Sums::add);

            centres = sums.sums;
            for (int k = 0; k < centres.length; k++)
                for (int i = 0; i < centres[k].length; i++)
                    centres[k][i] = sums.counts[k] > 0 ? centres[k][i] / sums.counts[k] : now[k][i];
        }
        for (double[] centre : centres) {
            StringBuilder line = new StringBuilder();

            for (double number : centre)
                line.append(line.length() > 0 ? " " : "").append(number);
            System.out.println(line);
        }
        points.unpersist(true);
    }
}
