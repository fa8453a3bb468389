-- Following the journal by position planned a scan of every month anew each time: 6 to 40 ms before the first row, for
-- one new event. This plans it once per session.

-- The events of a company with p_after < position <= p_until, in the order of positions. Positions are gapless, so the
-- bounds also say how many rows to expect.
CREATE FUNCTION ledger_journal_between(p_company bigint, p_after bigint, p_until bigint)
RETURNS SETOF ledger_capitalevent LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM ledger_capitalevent
    WHERE company_id = p_company AND position > p_after AND position <= p_until
    ORDER BY position;
END $$;
