import java.io.Serializable;
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

    private static int nearest(double[][] centres, double[] point) {
        double least = Double.POSITIVE_INFINITY;
        int best = 0;

        for (int k = 0; k < centres.length; k++) {
            double[] centre = centres[k];
            double distance = 0;

            for (int i = 0; i < point.length; i++) {
                double d = point[i] - centre[i];

                distance += d * d;
            }
            if (distance < least) {
                least = distance;
                best = k;
            }
        }
        return best;
    }

    private static Iterator<Sums> sums(double[][] centres, Iterator<double[]> points) {
        Sums sums = new Sums(centres.length, centres[0].length);

        while (points.hasNext()) {
            double[] point = points.next();

            sums.add(nearest(centres, point), point);
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
