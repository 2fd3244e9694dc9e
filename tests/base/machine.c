/*
 * machine.c: the time that control groups allow, of both versions, is found and rounded up, and threads that nobody asked for keep to it.
 */
#include "base/machine.h"

#include "support/test.h"
#include "support/tree.h"

#include <string.h>

/* A folder that stands for the root of the file system. */
static const char *root(void)
{
	static char path[600];
	const char *inner = tree_path("proc");
	memcpy(path, inner, strlen(inner) - strlen("/proc"));
	path[strlen(inner) - strlen("/proc")] = 0;
	return path;
}

static void second_version(void **state)
{
	(void)state;
	tree_new();
	assert_int_equal(hy_machine_quota(root()), 0); /* nothing is there */
	tree_text("proc/self/cgroup", "0::/a/b\n");
	assert_int_equal(hy_machine_quota(root()), 0);
	tree_text("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	assert_int_equal(hy_machine_quota(root()), 0);
	tree_text("sys/fs/cgroup/a/cpu.max", "450000 100000\n"); /* of a group above */
	assert_int_equal(hy_machine_quota(root()), 5);
	tree_text("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
	assert_int_equal(hy_machine_quota(root()), 2);
	tree_text("sys/fs/cgroup/cpu.max", "1000 100000\n"); /* of all, as a container sees its own */
	assert_int_equal(hy_machine_quota(root()), 1);
	tree_text("sys/fs/cgroup/cpu.max", "1000 0\n");
	assert_int_equal(hy_machine_quota(root()), 2);
	tree_text("proc/self/cgroup", "no such line\n0:\n");
	assert_int_equal(hy_machine_quota(root()), 0);
	tree_remove();
}

static void first_version(void **state)
{
	(void)state;
	tree_new();
	tree_text("proc/self/cgroup", "3:cpuset:/x\n2:cpuacct,cpu:/x\n1:memory:/y\n");
	tree_text("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	tree_text("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	assert_int_equal(hy_machine_quota(root()), 0);
	tree_text("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "200000\n");
	assert_int_equal(hy_machine_quota(root()), 0); /* of what period? */
	tree_text("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
	assert_int_equal(hy_machine_quota(root()), 2);
	tree_text("proc/self/cgroup", "3:cpuset:/x\n1:memory:/y\n");
	assert_int_equal(hy_machine_quota(root()), 0);
	tree_remove();
}

static void what_is_asked_for_holds(void **state)
{
	(void)state;
	const int before = hy_threads_set(3), quota = hy_machine_quota("");
	assert_int_equal(hy_threads_set(0), hy_threads()); /* somebody chose it */
	hy_threads_set(before);
	assert_int_equal(hy_threads_set(0), before);
	assert_true(!quota || hy_threads() <= before);
	hy_threads_set(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(second_version),
	    cmocka_unit_test(first_version),
	    cmocka_unit_test(what_is_asked_for_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
