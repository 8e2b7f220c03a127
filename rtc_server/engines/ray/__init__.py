"""Engine servers on a Ray cluster: Ray places, restarts, scales and upgrades them, and no more.

A replica of the deployment is an engine server of ours (`replica`), which listens on a port of its
own; media processes speak to it directly. `listing` is what they ask for addresses, `calls_policy`
decides how many replicas there are. These three are plain objects that know nothing of Ray:
`deployments` makes Ray Serve's out of them, `operating` deploys, shows and drains.

Read `replica` first. Nothing but `deployments` and `operating` may import Ray, and no media process
may import these two.
"""
