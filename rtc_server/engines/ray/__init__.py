"""Engine servers on a Ray cluster. Ray only places, restarts, scales and upgrades them.

A replica of the deployment is an engine server of ours (`replica`), which listens on a port of its
own; media processes connect to it directly. `listing` gives them the addresses, `calls_policy`
decides how many replicas there are. These three are plain objects independent of Ray:
`deployments` makes deployments of Ray Serve of them, `operating` deploys, shows and drains them.

Read `replica` first. Nothing but `deployments` and `operating` may import Ray, and no media process
may import these two.
"""
