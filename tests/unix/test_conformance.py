# SPDX-License-Identifier: ISC
"""Tests of tests/boot that run here word for word: what a guest sees of Xen is the same on both, so a
test that passes there and fails here has found a divergence of the simulation."""

# pylint: disable=unused-import
from test_console import (  # noqa: F401
    test_400_lines_and_the_end_at_once,
    test_request_keys_removed,
    test_request_that_is_not_supported,
    test_sysrq_many,
    test_sysrq_unknown_letter_is_help,
)
from test_faults import (  # noqa: F401
    test_fault_is_reported,
    test_stack_overflow_hits_a_guard_page,
    test_unknown_image_argument_fails_with_a_reason,
)
from test_libc import (  # noqa: F401
    test_a_flood_of_output_is_complete,
    test_a_sleeping_program_shuts_down_when_asked,
    test_exit_status,
    test_its_own_verdicts,
    test_mistakes_end_in_a_report,
    test_output_is_flushed_at_exit,
    test_overflow_of_mains_stack_ends_the_guest,
    test_seed_from_the_command_line_is_used_and_not_shown,
    test_standard_input_is_edited_by_lines,
)
from test_life import (  # noqa: F401
    test_console_input,
    test_flood_of_a_thread_loses_no_line,
    test_flood_of_the_log_counts_what_it_drops,
    test_memory_exhaustion_is_survived,
    test_random_differs_between_boots,
    test_reboot_starts_the_guest_again,
    test_shutdown_is_not_stopped_by_a_stuck_hook,
    test_shutdown_runs_hooks_and_powers_off,
    test_sysrq_ends,
    test_sysrq_reports,
)
